// An OPC UA client by others (node-opcua): subscribes to items and prints what it is told.
//
// Argument: one JSON object
//   url      endpoint
//   items    numeric node ids of namespace 0
//   period   ms, of publishing and sampling
//   changes  how many changes of each item to wait for
// Prints one JSON line: {"<item>": [[value, source time in ms, status name], ...], ...}
"use strict";

const { AttributeIds, OPCUAClient, TimestampsToReturn } = require("node-opcua");

const options = JSON.parse(process.argv[2]);

async function main() {
  const client = OPCUAClient.create({ endpointMustExist: false });
  await client.connect(options.url);
  const session = await client.createSession();
  const subscription = await session.createSubscription2({
    requestedPublishingInterval: options.period,
    requestedLifetimeCount: 100,
    requestedMaxKeepAliveCount: 10,
    publishingEnabled: true,
  });
  const seen = Object.fromEntries(options.items.map((item) => [item, []]));
  await new Promise(async (resolve) => {
    const group = await subscription.monitorItems(
      options.items.map((item) => ({ nodeId: `i=${item}`, attributeId: AttributeIds.Value })),
      { samplingInterval: options.period, queueSize: 10, discardOldest: true },
      TimestampsToReturn.Both,
    );
    group.on("changed", (monitored, data) => {
      const item = monitored.itemToMonitor.nodeId.value;
      seen[item].push([data.value.value, data.sourceTimestamp.getTime(), data.statusCode.name]);
      if (Object.values(seen).every((changes) => changes.length >= options.changes)) resolve();
    });
  });
  console.log(JSON.stringify(seen));
  await session.close();
  await client.disconnect();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
