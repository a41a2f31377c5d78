// Reads messages with Node's mailparser, or with postal-mime.
//
//   node node.mjs mailparser|postal-mime MODULES DIRECTORY
//
// MODULES is the node_modules directory that holds them. Prints one JSON object a message
// (readers.py says what is in it). Both give whole texts and attachments instead of parts.

import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [library, modules, directory] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/x.js`));

const base64 = (bytes) => Buffer.from(bytes).toString('base64');
const text = (type, content) => (typeof content === 'string' ? [{ type, name: null, attached: false, bytes: null, text: content }] : []);
const file = (type, name, content) => ({ type, name: name ?? null, attached: true, bytes: base64(content), text: null });

async function mailparser(bytes) {
    const { simpleParser } = require('mailparser');
    // As it is by default it makes text of HTML and HTML of text.
    const message = await simpleParser(bytes, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true });
    const people = (field) => (field ? [field].flat() : []).flatMap((list) => list.value).map((person) => [person.name ?? '', person.address ?? '']);
    return {
        subject: message.subject ?? '', from: people(message.from), to: people(message.to), cc: people(message.cc),
        'reply-to': people(message.replyTo),
        parts: [...text('text/plain', message.text), ...text('text/html', message.html),
            ...message.attachments.map((part) => file(part.contentType, part.filename, part.content))],
    };
}

async function postalMime(bytes) {
    const { default: PostalMime } = await import(pathToFileURL(require.resolve('postal-mime')));
    const message = await PostalMime.parse(bytes);
    const people = (field) => (field ? [field].flat() : []).map((person) => [person.name ?? '', person.address ?? '']);
    return {
        subject: message.subject ?? '', from: people(message.from), to: people(message.to), cc: people(message.cc),
        'reply-to': people(message.replyTo),
        parts: [...text('text/plain', message.text), ...text('text/html', message.html),
            ...message.attachments.map((part) => file(part.mimeType, part.filename, part.content))],
    };
}

const read = { mailparser, 'postal-mime': postalMime }[library];
for (const path of readdirSync(directory).sort()) {
    let told;
    try {
        told = await read(readFileSync(`${directory}/${path}`));
    } catch (error) {
        told = { error: String(error) };
    }
    console.log(JSON.stringify({ id: path, ...told }));
}
