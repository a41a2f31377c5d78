#!/usr/bin/perl
# Reads messages with Perl's MIME::Parser, addresses with Mail::Address and encoded words with Encode:
# what request trackers and scanners do.
#
#   mime-parser.pl DIRECTORY
#
# Prints one JSON object a message (readers.py says what is in it).
use strict;
use warnings;
use Encode;
use JSON::PP;
use MIME::Base64;
use MIME::Parser;
use Mail::Address;

my $json = JSON::PP->new->ascii->canonical;

sub header {
    my ($entity, $field) = @_;
    my $text = $entity->head->get($field, 0) // '';
    $text =~ s/\r?\n(?=[ \t])//g;
    $text =~ s/\r?\n\z//;
    return $text;
}

sub unquoted {
    my ($phrase) = @_;
    $phrase =~ s/\\(.)/$1/gs if $phrase =~ s/^"(.*)"$/$1/s;
    return $phrase;
}

sub addresses {
    my ($entity, $field) = @_;
    return [map { [decode('MIME-Header', unquoted($_->phrase // '')), $_->address // ''] }
            Mail::Address->parse(header($entity, $field))];
}

sub part {
    my ($part) = @_;
    my $body = $part->bodyhandle ? $part->bodyhandle->as_string : '';
    my $type = lc $part->mime_type;
    my $charset = $part->head->mime_attr('content-type.charset') // 'us-ascii';
    my $name = $part->head->recommended_filename;
    # It comes as UTF-8 when it was encoded.
    $name = decode('UTF-8', $name) if defined $name && !utf8::is_utf8($name);
    return {
        type => $type,
        name => $name,
        attached => ($part->head->mime_attr('content-disposition') // '') =~ /^attachment/i ? JSON::PP::true : JSON::PP::false,
        bytes => encode_base64($body, ''),
        text => $type =~ m{^text/} ? decode($charset, $body) : undef,
    };
}

my $parser = MIME::Parser->new;
$parser->output_to_core(1);
$parser->tmp_to_core(1);
chdir $ARGV[0] or die;
for my $path (sort glob '*') {
    my %told = (id => $path);
    eval {
        my $entity = $parser->parse_open($path);
        %told = (%told, subject => decode('MIME-Header', header($entity, 'Subject')),
                 parts => [map { part($_) } grep { !$_->parts } $entity->parts_DFS]);
        $told{lc $_} = addresses($entity, $_) for qw(From To Cc Reply-To);
        1;
    } or $told{error} = "$@";
    print $json->encode(\%told), "\n";
}
