// Reads messages with JavaMail.
//
//   java -cp /usr/share/java/javax.mail.jar:/usr/share/java/javax.activation.jar JavaMail.java DIRECTORY
//
// Prints one JSON object a message (readers.py says what is in it).

import java.io.ByteArrayInputStream;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Properties;
import javax.mail.Multipart;
import javax.mail.Part;
import javax.mail.Session;
import javax.mail.internet.AddressException;
import javax.mail.internet.ContentType;
import javax.mail.internet.InternetAddress;
import javax.mail.internet.MimeMessage;
import javax.mail.internet.MimeUtility;

public class JavaMail {
    static String json(String text) {
        if (text == null) {
            return "null";
        }
        StringBuilder made = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            made.append(c == '"' || c == '\\' ? "\\" + c
                : c < ' ' || c > '~' ? String.format("\\u%04x", (int) c) : String.valueOf(c));
        }
        return made.append('"').toString();
    }

    static String addresses(MimeMessage message, String field) throws Exception {
        List<String> found = new ArrayList<>();
        String text = message.getHeader(field, ",");
        InternetAddress[] people;
        try {
            people = InternetAddress.parseHeader(text == null ? "" : text, true);
        } catch (AddressException error) {
            return "[[\"\", " + json(error.toString()) + "]]";
        }
        for (InternetAddress address : people) {
            String name = address.getPersonal() == null ? "" : address.getPersonal();
            found.add("[" + json(name) + ", " + json(address.getAddress()) + "]");
        }
        return found.toString();
    }

    static void parts(Part part, List<String> found) throws Exception {
        if (part.isMimeType("multipart/*")) {
            Multipart inner = (Multipart) part.getContent();
            for (int at = 0; at < inner.getCount(); at++) {
                parts(inner.getBodyPart(at), found);
            }
            return;
        }
        byte[] bytes = part.getInputStream().readAllBytes();
        ContentType type = new ContentType(part.getContentType());
        String text = null;
        if (part.isMimeType("text/*")) {
            String charset = type.getParameter("charset");
            text = new String(bytes, MimeUtility.javaCharset(charset == null ? "us-ascii" : charset));
        }
        found.add("{\"type\": " + json(type.getBaseType().toLowerCase())
            + ", \"name\": " + json(part.getFileName())
            + ", \"attached\": " + "attachment".equalsIgnoreCase(part.getDisposition())
            + ", \"bytes\": " + json(Base64.getEncoder().encodeToString(bytes))
            + ", \"text\": " + json(text) + "}");
    }

    static String read(File file) {
        String id = "{\"id\": " + json(file.getName());
        try {
            byte[] bytes = Files.readAllBytes(file.toPath());
            MimeMessage message = new MimeMessage(Session.getInstance(new Properties()), new ByteArrayInputStream(bytes));
            List<String> parts = new ArrayList<>();
            parts(message, parts);
            return id + ", \"subject\": " + json(message.getSubject() == null ? "" : message.getSubject())
                + ", \"from\": " + addresses(message, "From") + ", \"to\": " + addresses(message, "To")
                + ", \"cc\": " + addresses(message, "Cc") + ", \"reply-to\": " + addresses(message, "Reply-To")
                + ", \"parts\": " + parts + "}";
        } catch (Exception error) {
            return id + ", \"error\": " + json(error.toString()) + "}";
        }
    }

    public static void main(String[] arguments) throws Exception {
        File[] files = new File(arguments[0]).listFiles();
        Arrays.sort(files);
        StringBuilder all = new StringBuilder();
        for (File file : files) {
            all.append(read(file)).append('\n');
        }
        System.out.write(all.toString().getBytes(StandardCharsets.UTF_8));
        System.out.flush();
    }
}
