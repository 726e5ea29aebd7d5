// An OPC UA server by others (node-opcua) that tests drive over stdin and stdout.
//
// Argument: one JSON object
//   port            TCP port on loopback
//   pki             folder for its certificates, kept between starts
//   extraNamespaces namespaces registered before the test's own, so that its index moves
//   limits          {maxNodesPerRead, maxMonitoredItemsPerCall, maxNodesPerBrowse}
//   transport       {receiveBufferSize, sendBufferSize, maxMessageSize, maxChunkCount} to announce
//   maxSessions     sessions it grants
//   items           how many "Item.<n>" doubles there are
//   mostQueued      values that it keeps of an item at most
//   user, password  the one account; anonymous is allowed unless "anonymous" is false
//   secure          offer Basic256Sha256 Sign & Encrypt as well
//   policies, modes names of what is offered instead of all that
//   trustAll        accept any client certificate (default true)
//
// Commands, one JSON object a line: {"set": name, "value": v, "time": ms, "status": name},
// {"ramp": period_ms} lets all items count up from then on, {"hold": true} holds the server's own
// clock (CurrentTime) until {"hold": false}. Every command is answered by "ok".
"use strict";

const readline = require("node:readline");
const {
  DataType,

  MessageSecurityMode,
  MonitoredItem,
  OPCUACertificateManager,
  OPCUAServer,
  SecurityPolicy,
  StatusCodes,
  Variant,
  VariantArrayType,
  coerceInt64,
  coerceNodeId,
  coerceUInt64,
} = require("node-opcua");

const options = JSON.parse(process.argv[2]);
const URI = "http://qulink.test/plant";

const VARIABLES = {
  Double: [DataType.Double, 1.5],
  Float: [DataType.Float, 2.5],
  SByte: [DataType.SByte, -5],
  Byte: [DataType.Byte, 250],
  Int16: [DataType.Int16, -30000],
  UInt16: [DataType.UInt16, 60000],
  Int32: [DataType.Int32, -2000000000],
  UInt32: [DataType.UInt32, 4000000000],
  Int64: [DataType.Int64, coerceInt64("-9007199254740995")],
  UInt64: [DataType.UInt64, coerceUInt64("18446744073709551615")],
  Boolean: [DataType.Boolean, true],
  String: [DataType.String, "衢州 press"],
  Text: [DataType.LocalizedText, { locale: "zh", text: "运行" }],
  DateTime: [DataType.DateTime, new Date(Date.UTC(2024, 1, 29, 12, 0, 0, 250))],
  Guid: [DataType.Guid, "72962B91-FA75-4AE6-8D28-B404DC7DAF63"],
  Bytes: [DataType.ByteString, Buffer.from([1, 2, 3])],
  Node: [DataType.NodeId, coerceNodeId("ns=0;i=2258")],
};

function addVariable(namespace, folder, name, dataType, value, extra) {
  return namespace.addVariable({
    componentOf: folder,
    browseName: name,
    nodeId: `s=${name}`,
    dataType,
    value: new Variant({ dataType, value, arrayType: VariantArrayType.Scalar, ...extra }),
  });
}

function build(server) {
  const space = server.engine.addressSpace;
  for (let n = 0; n < (options.extraNamespaces || 0); n++) {
    space.registerNamespace(`http://qulink.test/extra/${n}`);
  }
  const namespace = space.registerNamespace(URI);
  const folder = namespace.addObject({
    organizedBy: space.rootFolder.objects,
    browseName: "Plant",
  });
  const nodes = {};
  for (const [name, [dataType, value]] of Object.entries(VARIABLES)) {
    nodes[name] = addVariable(namespace, folder, name, dataType, value);
  }
  nodes.Array = addVariable(namespace, folder, "Array", DataType.Double, new Float64Array([1, 2]), {
    arrayType: VariantArrayType.Array,
  });
  nodes.Temps = addVariable(namespace, folder, "Temps", DataType.Float, new Float32Array([1, 2, 3]), {
    arrayType: VariantArrayType.Array,
  });
  nodes.Matrix = namespace.addVariable({
    componentOf: folder,
    browseName: "Matrix",
    nodeId: "s=Matrix",
    dataType: DataType.Int32,
    valueRank: 2,
    arrayDimensions: [2, 3],
    value: new Variant({
      dataType: DataType.Int32,
      arrayType: VariantArrayType.Matrix,
      dimensions: [2, 3],
      value: new Int32Array([1, 2, 3, 4, 5, 6]),
    }),
  });
  addVariable(namespace, folder, "温度（上）", DataType.Double, 36.5);
  namespace.addVariable({
    componentOf: folder,
    browseName: "Denied",
    nodeId: "s=Denied",
    dataType: DataType.Double,
    accessLevel: "CurrentWrite",
    userAccessLevel: "CurrentWrite",
    value: new Variant({ dataType: DataType.Double, value: 1 }),
  });
  folder.addReference({ referenceType: "Organizes", nodeId: space.rootFolder.objects });
  nodes.ReadOnly = namespace.addVariable({
    componentOf: folder,
    browseName: "ReadOnly",
    nodeId: "s=ReadOnly",
    dataType: DataType.Double,
    accessLevel: "CurrentRead",
    userAccessLevel: "CurrentRead",
    value: new Variant({ dataType: DataType.Double, value: 9 }),
  });
  for (let n = 0; n < (options.items || 0); n++) {
    const name = `Item.${n}`;
    nodes[name] = addVariable(namespace, folder, name, DataType.Double, n);
  }
  return nodes;
}

function set(nodes, command) {
  const node = nodes[command.set];
  const dataType = command.type ? DataType[command.type] : node.dataTypeObj.basicDataType;
  const value = command.value === "NaN" ? NaN : command.value;
  const when = command.time ? new Date(command.time) : new Date();
  const status = StatusCodes[command.status || "Good"];
  const arrayType = VariantArrayType.Scalar;
  node.setValueFromSource(new Variant({ dataType, value, arrayType }), status, when);
}

function ramp(nodes, period) {
  const items = Object.keys(nodes).filter((name) => name.startsWith("Item."));
  let round = 0;
  setInterval(() => {
    round += 1;
    const when = new Date();
    items.forEach((name, n) => {
      const value = new Variant({ dataType: DataType.Double, value: n + round / 1000 });
      nodes[name].setValueFromSource(value, StatusCodes.Good, when);
    });
  }, period);
}

// The engine computes CurrentTime when it is read; a held one is the time of the command.
function hold(server, wanted) {
  const status = server.engine.addressSpace.findNode("ns=0;i=2256");
  const running = (status.running = status.running || status.$extensionObject);
  const now = new Date();
  const get = (target, part) => (part === "currentTime" ? now : target[part]);
  status.$extensionObject = wanted ? new Proxy(running, { get }) : running;
}

function obey(server, nodes, command) {
  if (command.hold !== undefined) hold(server, command.hold);
  if (command.set) set(nodes, command);
  if (command.ramp) ramp(nodes, command.ramp);
}

// The engine has no setting for it.
function queueAtMost(most) {
  const take = MonitoredItem.prototype._set_parameters;
  MonitoredItem.prototype._set_parameters = function (parameters) {
    take.call(this, parameters);
    this.queueSize = Math.min(this.queueSize, most);
  };
}

function offers() {
  const modes = options.modes || (options.secure ? ["None", "SignAndEncrypt"] : ["None"]);
  const policies = options.policies || (options.secure ? ["None", "Basic256Sha256"] : ["None"]);
  return {
    modes: modes.map((name) => MessageSecurityMode[name]),
    policies: policies.map((name) => SecurityPolicy[name]),
  };
}

async function main() {
  if (options.mostQueued) queueAtMost(options.mostQueued);
  const certificates = new OPCUACertificateManager({
    rootFolder: options.pki,
    automaticallyAcceptUnknownCertificate: options.trustAll !== false,
  });
  await certificates.initialize();
  const offered = offers();
  const server = new OPCUAServer({
    port: options.port,
    host: "127.0.0.1",
    hostname: "127.0.0.1",
    serverCertificateManager: certificates,
    userCertificateManager: certificates,
    securityModes: offered.modes,
    securityPolicies: offered.policies,
    allowAnonymous: options.anonymous !== false,
    userManager: {
      isValidUser: (user, password) => user === options.user && password === options.password,
    },
    maxConnectionsPerEndpoint: 20,
    transportSettings: options.transport ? { adjustTransportLimits: () => options.transport } : {},
    serverCapabilities: {
      maxSessions: options.maxSessions || 20,
      operationLimits: options.limits || {},
    },
  });
  await server.initialize();
  const nodes = build(server);
  await server.start();
  process.stdout.write("ready\n");
  readline.createInterface({ input: process.stdin }).on("line", (line) => {
    obey(server, nodes, JSON.parse(line));
    process.stdout.write("ok\n");
  });
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
