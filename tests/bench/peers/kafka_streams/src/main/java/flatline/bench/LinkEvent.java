package flatline.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.OffsetDateTime;

/**
 * What one link event says, as far as the job needs it. There is one for a task, read into again and again: URLs become
 * fingerprints straight from the parser's buffer, and no event leaves an object behind.
 */
final class LinkEvent {
    private static final JsonFactory JSON = new JsonFactory();
    private static final int URL_LENGTH_MAX = 4_096;
    private static final long FNV_OFFSET = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    long urlFrom;
    long urlTo;
    long referringHost;
    boolean isGained;
    long occurredAtMs;

    /** Reads an event and checks the type of every field; false when it is not one. */
    boolean read(byte[] value) {
        urlFrom = urlTo = occurredAtMs = 0;
        isGained = true;
        try (JsonParser json = JSON.createParser(value)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return false;
            }
            for (String field = json.nextFieldName(); field != null; field = json.nextFieldName()) {
                JsonToken token = json.nextToken();
                boolean isText = token == JsonToken.VALUE_STRING;
                boolean isValid = switch (field) {
                    case "url_from" -> isText && readUrlFrom(json);
                    case "url_to" -> isText && readUrlTo(json);
                    case "change" -> isText && readChange(json.getText());
                    case "occurred_at" -> isText && (occurredAtMs = instantMs(json)) != 0;
                    case "observed_at" -> isText && instantMs(json) != 0;
                    case "rel" -> token == JsonToken.START_ARRAY && isRel(json);
                    case "version" -> token == JsonToken.VALUE_NUMBER_INT && json.getIntValue() == 1;
                    case "id", "anchor", "context", "source" -> isText;
                    default -> json.skipChildren() != null;
                };
                if (!isValid) {
                    return false;
                }
            }
            return urlFrom != 0 && urlTo != 0 && occurredAtMs != 0;
        } catch (IOException | DateTimeException notAnEvent) {
            return false;
        }
    }

    private static boolean isUrlLength(JsonParser json) throws IOException {
        int length = json.getTextLength();
        return length > 0 && length <= URL_LENGTH_MAX;
    }

    private boolean readUrlTo(JsonParser json) throws IOException {
        if (!isUrlLength(json)) {
            return false;
        }
        urlTo = fingerprint(json, 0, json.getTextLength());
        return true;
    }

    private boolean readUrlFrom(JsonParser json) throws IOException {
        if (!isUrlLength(json)) {
            return false;
        }
        char[] text = json.getTextCharacters();
        int start = json.getTextOffset();
        int end = start + json.getTextLength();
        int slash = start;
        while (slash < end && text[slash] != '/') {
            slash++;
        }
        int host = slash + 2;
        int hostEnd = host;
        while (hostEnd < end && text[hostEnd] != '/') {
            hostEnd++;
        }
        if (hostEnd <= host || hostEnd > end) {
            return false;
        }
        urlFrom = fingerprint(json, 0, end - start);
        referringHost = fingerprint(json, host - start, hostEnd - start);
        return true;
    }

    private boolean readChange(String change) {
        isGained = change.equals("gained");
        return isGained || change.equals("lost");
    }

    private static boolean isRel(JsonParser json) throws IOException {
        while (json.nextToken() == JsonToken.VALUE_STRING) {
            continue;
        }
        return json.currentToken() == JsonToken.END_ARRAY;
    }

    /** FNV-1a of 64 bits over a part of the parser's text. */
    private static long fingerprint(JsonParser json, int from, int to) throws IOException {
        char[] text = json.getTextCharacters();
        int start = json.getTextOffset();
        long hash = FNV_OFFSET;
        for (int at = start + from; at < start + to; at++) {
            hash = (hash ^ text[at]) * FNV_PRIME;
        }
        return hash;
    }

    /** RFC 3339 to ms; the form without fractions and in UTC, which most producers write, without an object. */
    private static long instantMs(JsonParser json) throws IOException {
        char[] text = json.getTextCharacters();
        int at = json.getTextOffset();
        if (json.getTextLength() != 20 || text[at + 19] != 'Z' || text[at + 4] != '-' || text[at + 10] != 'T') {
            return OffsetDateTime.parse(json.getText()).toInstant().toEpochMilli();
        }
        long day = LocalDate.of(number(text, at, 4), number(text, at + 5, 2), number(text, at + 8, 2)).toEpochDay();
        int minutes = number(text, at + 11, 2) * 60 + number(text, at + 14, 2);
        return ((day * 1_440 + minutes) * 60 + number(text, at + 17, 2)) * 1_000;
    }

    private static int number(char[] text, int at, int digits) {
        int number = 0;
        for (int digit = at; digit < at + digits; digit++) {
            if (text[digit] < '0' || text[digit] > '9') {
                throw new DateTimeException("no digit");
            }
            number = number * 10 + text[digit] - '0';
        }
        return number;
    }
}
