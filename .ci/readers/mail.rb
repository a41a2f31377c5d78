#!/usr/bin/ruby
# Reads messages with Ruby's mail, the library of Rails.
#
#   mail.rb DIRECTORY
#
# Prints one JSON object a message (readers.py says what is in it).
require 'base64'
require 'json'
require 'mail'

def addresses(message, field)
  found = message[field]
  return [] unless found.respond_to?(:addrs)
  found.addrs.map { |person| [person.display_name || '', person.address] }
end

def clean(text)
  text&.dup&.force_encoding('UTF-8')&.scrub("\u{FFFD}")
end

def leaves(part)
  part.multipart? ? part.parts.flat_map { |inner| leaves(inner) } : [part]
end

def told_of(part)
  type = (part.mime_type || 'text/plain').downcase
  # decoded of a part gives text as UTF-8, with LF line ends; that of its body the bytes.
  is_text = type.start_with?('text/') && !part.attachment?
  decoded = is_text ? part.decoded : part.body.decoded
  {
    type: type, name: clean(part.filename), attached: part.attachment?,
    bytes: is_text ? nil : Base64.strict_encode64(decoded),
    text: is_text ? clean(decoded.encode('UTF-8', invalid: :replace, undef: :replace)) : nil
  }
end

Dir.children(ARGV[0]).sort.each do |path|
  told = { id: path }
  begin
    # With LF lines it finds no parts where the text has 8-bit bytes.
    message = Mail.read_from_string(File.binread("#{ARGV[0]}/#{path}").gsub(/\r?\n/n, "\r\n"))
    told[:subject] = clean(message.subject.to_s)
    told[:parts] = leaves(message).map { |part| told_of(part) }
    %w[from to cc reply-to].each { |field| told[field] = addresses(message, field) }
  rescue StandardError => e
    told[:error] = e.inspect
  end
  puts JSON.generate(told)
end
