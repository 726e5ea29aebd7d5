/* A Modbus TCP server by libmodbus, as a foreign peer: 1000 of each table, unit ids not checked.
 * usage: libmodbus_server PORT; serves one connection after the other. */
#include <modbus/modbus.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    modbus_t *context = modbus_new_tcp("127.0.0.1", argc > 1 ? atoi(argv[1]) : 1502);
    modbus_mapping_t *map = modbus_mapping_new(1000, 1000, 1000, 1000);
    int listener = modbus_tcp_listen(context, 4);
    if (context == NULL || map == NULL || listener < 0)
        return 1;
    for (int i = 0; i < 1000; i++) {
        map->tab_input_registers[i] = (uint16_t) (i * 7);
        map->tab_input_bits[i] = i % 3 == 0;
    }
    for (;;) {
        int length;
        modbus_tcp_accept(context, &listener);
        while ((length = modbus_receive(context, query)) >= 0)
            if (length > 0)
                modbus_reply(context, query, length, map);
        modbus_close(context);
    }
}
