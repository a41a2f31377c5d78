#!/usr/bin/php
<?php
// Reads messages with PHP's mailparse, and encoded words with iconv.
//
//   mailparse.php DIRECTORY
//
// Prints one JSON object a message (readers.py says what is in it).

mb_substitute_character(0xfffd);

function decoded($text)
{
    return iconv_mime_decode($text, ICONV_MIME_DECODE_CONTINUE_ON_ERROR, 'UTF-8');
}

function addresses($headers, $field)
{
    $found = [];
    foreach (mailparse_rfc822_parse_addresses($headers[$field] ?? '') as $person) {
        // Without a name it shows the address, whose quotes it takes off.
        $shown = [$person['address'], str_replace('"', '', $person['address'])];
        $name = in_array($person['display'], $shown, true) ? '' : $person['display'];
        $found[] = [decoded($name), $person['address']];
    }
    return $found;
}

function part($message, $raw, $section)
{
    $data = mailparse_msg_get_part_data($part = mailparse_msg_get_part($message, $section));
    $body = substr($raw, $data['starting-pos-body'], $data['ending-pos-body'] - $data['starting-pos-body']);
    $encoding = strtolower($data['transfer-encoding'] ?? '7bit');
    if ($encoding === 'base64') {
        $body = base64_decode($body);
    } elseif ($encoding === 'quoted-printable') {
        $body = quoted_printable_decode($body);
    }
    $name = $data['disposition-filename'] ?? $data['content-name'] ?? null;
    $type = strtolower($data['content-type']);
    $charset = $data['charset'] ?? 'us-ascii';
    return [
        'type' => $type,
        'name' => $name === null ? null : decoded($name),
        'attached' => ($data['content-disposition'] ?? '') === 'attachment',
        'bytes' => base64_encode($body),
        'text' => str_starts_with($type, 'text/') ? mb_convert_encoding($body, 'UTF-8', $charset) : null,
    ];
}

foreach (array_diff(scandir($argv[1]), ['.', '..']) as $path) {
    $told = ['id' => $path];
    try {
        $raw = file_get_contents("$argv[1]/$path");
        $message = mailparse_msg_create();
        mailparse_msg_parse($message, $raw);
        $headers = mailparse_msg_get_part_data($message)['headers'];
        $told += ['subject' => decoded($headers['subject'] ?? ''), 'parts' => []];
        foreach (['from', 'to', 'cc', 'reply-to'] as $field) {
            $told[$field] = addresses($headers, $field);
        }
        foreach (mailparse_msg_get_structure($message) as $section) {
            $data = mailparse_msg_get_part_data(mailparse_msg_get_part($message, $section));
            if (!str_starts_with(strtolower($data['content-type']), 'multipart/')) {
                $told['parts'][] = part($message, $raw, $section);
            }
        }
    } catch (Throwable $error) {
        $told['error'] = (string) $error;
    }
    echo json_encode($told, JSON_INVALID_UTF8_SUBSTITUTE), "\n";
}
