#!/usr/bin/perl
# Reads messages with Perl's Email::MIME, and addresses with the Email::Address::XS it uses.
#
#   email-mime.pl DIRECTORY
#
# Prints one JSON object a message (readers.py says what is in it).
use strict;
use warnings;
use Email::MIME;
use Email::MIME::Header::AddressList;
use JSON::PP;
use MIME::Base64;

my $json = JSON::PP->new->ascii->canonical;

sub addresses {
    my ($message, $field) = @_;
    my $list = $message->header_as_obj($field) or return [];
    return [map { [$_->phrase // '', $_->address // ''] } $list->addresses];
}

sub part {
    my ($part) = @_;
    my $type = lc(($part->content_type // 'text/plain') =~ s/;.*//sr) =~ s/\s//gr;
    my $text = $type =~ m{^text/} ? eval { $part->body_str } : undef;
    return {
        type => $type,
        name => $part->filename,
        attached => ($part->header('Content-Disposition') // '') =~ /^attachment/i ? JSON::PP::true : JSON::PP::false,
        bytes => encode_base64($part->body, ''),
        text => $text,
    };
}

chdir $ARGV[0] or die;
for my $path (sort glob '*') {
    my %told = (id => $path);
    eval {
        open my $file, '<:raw', $path or die;
        my $message = Email::MIME->new(do { local $/; <$file> });
        my @parts;
        $message->walk_parts(sub { push @parts, part($_[0]) if !$_[0]->subparts });
        %told = (%told, subject => $message->header_str('Subject') // '', parts => \@parts);
        $told{lc $_} = addresses($message, $_) for qw(From To Cc Reply-To);
        1;
    } or $told{error} = "$@";
    print $json->encode(\%told), "\n";
}
