import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.HexFormat;
import net.handle.hdllib.*;

/** Does with the foreign client what each line of its input asks for, and says what came of it. */
public class Judge {
    static final Gson GSON = GsonUtility.getGson();
    static final HexFormat HEX = HexFormat.of();
    static final int ENVELOPE = Common.MESSAGE_ENVELOPE_SIZE;

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err); // the library's own words
        BufferedReader in =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            JsonObject answer;
            try {
                answer = done(JsonParser.parseString(line).getAsJsonObject());
            } catch (Throwable error) {
                answer = new JsonObject();
                answer.addProperty("error", error.toString());
            }
            out.println(answer);
        }
    }

    static JsonObject done(JsonObject asked) throws Exception {
        switch (text(asked, "do")) {
            case "recode":
                return recode(octets(asked, "message"));
            case "compose":
                return compose(asked);
            case "describe":
                return describe(octets(asked, "value"));
            case "value":
                return said(Encoder.encodeHandleValue(
                        GSON.fromJson(asked.get("value"), HandleValue.class)));
            case "rekey":
                return said(Util.getBytesFromPublicKey(
                        Util.getPublicKeyFromBytes(octets(asked, "key"), 0)));
            case "prove":
                return prove(asked);
            case "ask":
                return ask(asked);
            default:
                throw new IllegalArgumentException("nobody knows how to " + asked.get("do"));
        }
    }

    /** Read a message and write what was read. */
    static JsonObject recode(byte[] data) throws Exception {
        MessageEnvelope envelope = new MessageEnvelope();
        Encoder.decodeEnvelope(data, envelope);
        return written(Encoder.decodeMessage(data, ENVELOPE, envelope), envelope);
    }

    static JsonObject written(AbstractMessage message, MessageEnvelope envelope) throws Exception {
        message.clearBuffers();
        byte[] rest = message.getEncodedMessage();
        byte[] whole = new byte[ENVELOPE + rest.length];
        envelope.messageLength = rest.length;
        Encoder.encodeEnvelope(envelope, whole);
        System.arraycopy(rest, 0, whole, ENVELOPE, rest.length);
        JsonObject answer = said(whole);
        answer.addProperty("kind", message.getClass().getSimpleName());
        return answer;
    }

    /** A request out of its parts. */
    static JsonObject compose(JsonObject asked) throws Exception {
        AbstractRequest request = request(asked, null);
        request.requestId = asked.get("id").getAsInt();
        request.expiration = asked.get("expires").getAsInt();
        MessageEnvelope envelope = new MessageEnvelope();
        envelope.protocolMajorVersion = request.majorProtocolVersion = 2;
        envelope.protocolMinorVersion = request.minorProtocolVersion = 10;
        envelope.suggestMajorProtocolVersion = request.suggestMajorProtocolVersion = 2;
        envelope.suggestMinorProtocolVersion = request.suggestMinorProtocolVersion = 11;
        envelope.requestId = request.requestId;
        return written(request, envelope);
    }

    static AbstractRequest request(JsonObject asked, AuthenticationInfo who) {
        byte[] handle = Util.encodeString(text(asked, "handle"));
        HandleValue[] values = GSON.fromJson(asked.get("values"), HandleValue[].class);
        int[] indexes = GSON.fromJson(asked.get("indexes"), int[].class);
        switch (text(asked, "request")) {
            case "resolve":
                return new ResolutionRequest(handle, types(asked), indexes, who);
            case "site":
                return new GenericRequest(handle, AbstractMessage.OC_GET_SITE_INFO, who);
            case "create":
                return new CreateHandleRequest(handle, values, who);
            case "delete":
                return new DeleteHandleRequest(handle, who);
            case "add":
                return new AddValueRequest(handle, values, who);
            case "modify":
                return new ModifyValueRequest(handle, values, who);
            case "remove":
                return new RemoveValueRequest(handle, indexes, who);
            case "list":
                return new ListHandlesRequest(handle, who);
            default:
                throw new IllegalArgumentException("no request " + asked.get("request"));
        }
    }

    static byte[][] types(JsonObject asked) {
        if (!asked.has("types")) return null;
        JsonArray names = asked.getAsJsonArray("types");
        byte[][] types = new byte[names.size()][];
        for (int i = 0; i < types.length; i++) {
            types[i] = Util.encodeString(names.get(i).getAsString());
        }
        return types;
    }

    /** A value as the client's JSON has it, and written again. */
    static JsonObject describe(byte[] data) throws Exception {
        HandleValue value = new HandleValue();
        Encoder.decodeHandleValue(data, 0, value);
        JsonObject answer = said(Encoder.encodeHandleValue(value));
        JsonElement json = GSON.toJsonTree(value);
        answer.add("value", json);
        HandleValue again = GSON.fromJson(json, HandleValue.class);
        answer.addProperty("data", HEX.formatHex(again.getData()));
        return answer;
    }

    /** The client's answer to a challenge. */
    static JsonObject prove(JsonObject asked) throws Exception {
        AbstractRequest request = (AbstractRequest) decoded(octets(asked, "request"));
        ChallengeResponse challenge = (ChallengeResponse) decoded(octets(asked, "challenge"));
        return said(who(asked).authenticate(challenge, request));
    }

    static AbstractMessage decoded(byte[] data) throws Exception {
        MessageEnvelope envelope = new MessageEnvelope();
        Encoder.decodeEnvelope(data, envelope);
        AbstractMessage message = Encoder.decodeMessage(data, ENVELOPE, envelope);
        message.majorProtocolVersion = envelope.protocolMajorVersion;
        message.minorProtocolVersion = envelope.protocolMinorVersion;
        return message;
    }

    static AuthenticationInfo who(JsonObject asked) throws Exception {
        if (!asked.has("admin")) return null;
        byte[] handle = Util.encodeString(text(asked, "admin"));
        int index = asked.get("index").getAsInt();
        if (asked.has("secret")) {
            return new SecretKeyAuthenticationInfo(handle, index, octets(asked, "secret"));
        }
        PKCS8EncodedKeySpec key = new PKCS8EncodedKeySpec(octets(asked, "key"));
        return new PublicKeyAuthenticationInfo(
                handle, index, KeyFactory.getInstance("RSA").generatePrivate(key));
    }

    /** Ask one site, or begin there and follow where it leads. */
    static JsonObject ask(JsonObject asked) throws Exception {
        SiteInfo site = Encoder.decodeSiteInfoRecord(octets(asked, "site"), 0);
        HandleResolver resolver = new HandleResolver();
        resolver.setSessionTracker(null);
        resolver.setTcpTimeout(30_000);
        AbstractRequest request = request(asked, who(asked));
        request.returnRequestDigest = true;
        if (asked.has("walk")) {
            return told(request, walking(resolver, site).processRequest(request));
        }
        if (request instanceof ListHandlesRequest && !asked.get("udp").getAsBoolean()) {
            return listed(resolver, request, site);
        }
        if (asked.get("udp").getAsBoolean()) {
            int[] ways = {Interface.SP_HDL_UDP, Interface.SP_HDL_TCP};
            resolver.setPreferredProtocols(ways);
            ServerInfo server = site.determineServer(request.handle);
            return told(request, resolver.sendRequestToServer(request, site, server));
        }
        return told(request, resolver.sendRequestToSite(request, site, Interface.SP_HDL_TCP));
    }

    /** A listing comes in many messages, each of which is given to who asked. */
    static JsonObject listed(HandleResolver resolver, AbstractRequest request, SiteInfo site)
            throws Exception {
        JsonArray handles = new JsonArray();
        JsonArray counts = new JsonArray();
        JsonObject last = told(request, resolver.sendRequestToSite(
                request, site, Interface.SP_HDL_TCP, part -> {
                    if (part instanceof ListHandlesResponse) {
                        byte[][] some = ((ListHandlesResponse) part).handles;
                        for (byte[] handle : some) handles.add(Util.decodeString(handle));
                        counts.add(some.length);
                    }
                }));
        last.add("handles", handles);
        last.add("counts", counts);
        return last;
    }

    static HandleResolver walking(HandleResolver resolver, SiteInfo root) throws Exception {
        File none = new File(System.getProperty("java.io.tmpdir"), "no such folder");
        Configuration configuration = new FilesystemConfiguration(none);
        configuration.setAutoUpdateRootInfo(false);
        configuration.setResolutionMethod(Configuration.RM_GLOBAL);
        configuration.setGlobalValues(new HandleValue[] {
            new HandleValue(1, Common.SITE_INFO_TYPE, Encoder.encodeSiteInfoRecord(root))
        });
        resolver.setConfiguration(configuration);
        resolver.setCache(null);
        return resolver;
    }

    static JsonObject told(AbstractRequest request, AbstractResponse response) throws Exception {
        JsonObject answer =
                GsonUtility.serializeResponseToRequest(request, response).getAsJsonObject();
        answer.addProperty("kind", response.getClass().getSimpleName());
        return answer;
    }

    static JsonObject said(byte[] data) {
        JsonObject answer = new JsonObject();
        answer.addProperty("octets", HEX.formatHex(data));
        return answer;
    }

    static String text(JsonObject asked, String name) {
        return asked.get(name).getAsString();
    }

    static byte[] octets(JsonObject asked, String name) {
        return HEX.parseHex(text(asked, name));
    }
}
