// A Modbus TCP server by npm modbus-serial, as a foreign peer.
// usage: node modbus_server.js PORT
// Holding and input registers and coils are plain arrays (0…999) that clients may fill;
// input registers and discrete inputs mirror them. Beyond 999: exception 2.
"use strict";
const { ServerTCP } = require("modbus-serial");

const SIZE = 1000;
const registers = new Uint16Array(SIZE);
const coils = new Uint8Array(SIZE);

function known(address) {
    if (address < SIZE) return;
    const error = new Error("illegal data address");
    error.modbusErrorCode = 2;
    throw error;
}

const readRegister = (address) => { known(address); return registers[address]; };
const readCoil = (address) => { known(address); return coils[address] === 1; };

const vector = {
    getHoldingRegister: readRegister,
    getInputRegister: readRegister,
    getCoil: readCoil,
    getDiscreteInput: readCoil,
    setRegister: (address, value) => { known(address); registers[address] = value; },
    setCoil: (address, value) => { known(address); coils[address] = value ? 1 : 0; },
};

const server = new ServerTCP(vector, { host: "127.0.0.1", port: Number(process.argv[2]), unitID: 1 });
server.on("socketError", () => undefined);
