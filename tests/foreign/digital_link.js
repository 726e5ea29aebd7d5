// Reads URIs, a JSON list, and says what digital-link.js makes of each.
const { DigitalLink } = require("digital-link.js");

const said = (uri) => {
  try {
    const link = DigitalLink(uri);
    const { identifier, keyQualifiers, keyQualifiersOrder, attributes } = JSON.parse(
      link.toJsonString(),
    );
    const qualifiers = keyQualifiersOrder.map((ai) => [ai, keyQualifiers[ai]]);
    const elements = [...Object.entries(identifier), ...qualifiers];
    const valid = link.isValid();
    return { valid, uri: link.toWebUriString(), elements, attributes };
  } catch (error) {
    return { valid: false, error: String(error) };
  }
};

let text = "";
process.stdin.on("data", (piece) => (text += piece));
process.stdin.on("end", () => console.log(JSON.stringify(JSON.parse(text).map(said))));
