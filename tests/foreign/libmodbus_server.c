/* A Modbus server by libmodbus, as a foreign peer: 1000 of each table.
 * usage: libmodbus_server PORT       TCP, one connection after the other, unit ids not checked
 *        libmodbus_server PATH UNIT  RTU on a serial port, 19200 8N1 */
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void serve(modbus_t *context, modbus_mapping_t *map)
{
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    int length;
    while ((length = modbus_receive(context, query)) >= 0)
        if (length > 0)
            modbus_reply(context, query, length, map);
}

static int serve_serial(const char *path, int unit, modbus_mapping_t *map)
{
    modbus_t *context = modbus_new_rtu(path, 19200, 'N', 8, 1);
    if (context == NULL || modbus_set_slave(context, unit) || modbus_connect(context))
        return 1;
    puts("ready");
    fflush(stdout);
    for (;;)
        serve(context, map);
}

int main(int argc, char **argv)
{
    modbus_mapping_t *map = modbus_mapping_new(1000, 1000, 1000, 1000);
    if (map == NULL)
        return 1;
    for (int i = 0; i < 1000; i++) {
        map->tab_input_registers[i] = (uint16_t) (i * 7);
        map->tab_input_bits[i] = i % 3 == 0;
    }
    if (argc > 2)
        return serve_serial(argv[1], atoi(argv[2]), map);
    modbus_t *context = modbus_new_tcp("127.0.0.1", argc > 1 ? atoi(argv[1]) : 1502);
    int listener = modbus_tcp_listen(context, 4);
    if (context == NULL || listener < 0)
        return 1;
    for (;;) {
        modbus_tcp_accept(context, &listener);
        serve(context, map);
        modbus_close(context);
    }
}
