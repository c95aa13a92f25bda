#!/usr/bin/perl
# A Dockerfile frontend that lets the one inside BuildKit do the work. BuildKit runs it and is a gRPC server on its standard
# input and output (moby/buildkit frontend/gateway/pb/gateway.proto); gRPC is messages in HTTP/2 (RFC 9113).
use strict;
use warnings;

binmode STDIN;
binmode STDOUT;
$| = 1;

my ($DATA, $HEADERS, $SETTINGS, $PING, $GOAWAY, $WINDOW_UPDATE) = (0, 1, 4, 6, 7, 8);
my ($END_STREAM, $ACK, $END_HEADERS) = (1, 1, 4);
my $stream = -1;

print "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
# As much as there is may be sent without being asked for: INITIAL_WINDOW_SIZE of a stream, then that of the connection.
send_frame($SETTINGS, 0, 0, pack('nN', 4, 0x7fffffff));
send_frame($WINDOW_UPDATE, 0, 0, pack('N', 0x7fff0000));
1 while (receive_frame())[0] != $SETTINGS;

# SolveRequest: frontend, its options, allowResultReturn, allowResultArrayRef, and the inputs of the named contexts.
my $request = field(2, 'dockerfile.v0');
for (grep { /^BUILDKIT_FRONTEND_OPT_\d+$/ } keys %ENV) {
  my ($name, $value) = split /=/, $ENV{$_}, 2;
  $request .= field(3, field(1, $name) . field(2, $value));
}
$request .= varint(5 << 3) . varint(1) . varint(6 << 3) . varint(1);
$request .= field(13, $_) for fields(1, call('Inputs', ''));

my ($result) = fields(3, call('Solve', $request));
call('Return', field(1, $result));

# Calls a method of LLBBridge and returns its answer.
sub call {
  my ($method, $message) = @_;
  $stream += 2;
  my $headers = "\x83\x86";    # :method POST, :scheme http
  $headers .= "\x04" . text("/moby.buildkit.v1.frontend.LLBBridge/$method");
  $headers .= "\x01" . text('localhost');
  $headers .= "\x0f\x10" . text('application/grpc');
  $headers .= "\x00" . text('te') . text('trailers');
  send_frame($HEADERS, $END_HEADERS, $stream, $headers);
  my $body = "\0" . pack('N', length $message) . $message;
  while (length $body > 16384) { send_frame($DATA, 0, $stream, substr $body, 0, 16384, '') }
  send_frame($DATA, $END_STREAM, $stream, $body);

  my $answer = '';
  while (1) {
    my ($type, $flags, $id, $payload) = receive_frame();
    $answer .= $payload if $type == $DATA && $id == $stream;
    last if ($type == $DATA || $type == $HEADERS) && $id == $stream && $flags & $END_STREAM;
  }
  die "BuildKit refused to $method\n" if length $answer < 5;
  return substr $answer, 5;
}

# A text as HTTP/2 writes it in headers, shorter than 127 bytes (RFC 7541, section 5.2).
sub text { return chr(length $_[0]) . $_[0] }

sub send_frame {
  my ($type, $flags, $id, $payload) = @_;
  print substr(pack('N', length $payload), 1) . pack('CCN', $type, $flags, $id) . $payload;
}

# The next frame: type, flags, stream, payload. Settings and pings are acknowledged.
sub receive_frame {
  my ($length, $type, $flags, $id) = unpack 'a3CCN', receive(9);
  my $payload = receive(unpack 'N', "\0$length");
  die "BuildKit hung up\n" if $type == $GOAWAY;
  send_frame($type, $ACK, 0, $type == $PING ? $payload : '') if ($type == $PING || $type == $SETTINGS) && !($flags & $ACK);
  return ($type, $flags, $id, $payload);
}

sub receive {
  my ($wanted) = @_;
  my $received = '';
  while (length $received < $wanted) {
    sysread(STDIN, $received, $wanted - length $received, length $received) or die "BuildKit is gone\n";
  }
  return $received;
}

# A field of a protocol buffer that holds text, bytes or a message (protobuf.dev/programming-guides/encoding).
sub field {
  my ($number, $value) = @_;
  return varint($number << 3 | 2) . varint(length $value) . $value;
}

# The values of all such fields with this number.
sub fields {
  my ($wanted, $message) = @_;
  my @values;
  while (length $message) {
    my $key = take_varint(\$message);
    my $value = take_varint(\$message);
    next if ($key & 7) == 0;
    die "an unknown kind of field\n" if ($key & 7) != 2;
    my $bytes = substr $message, 0, $value, '';
    push @values, $bytes if $key >> 3 == $wanted;
  }
  return @values;
}

sub varint {
  my ($number) = @_;
  my $bytes = '';
  while ($number > 127) { $bytes .= chr($number & 127 | 128); $number >>= 7 }
  return $bytes . chr $number;
}

sub take_varint {
  my ($bytes) = @_;
  my ($number, $shift, $byte) = (0, 0, 128);
  while ($byte & 128) { $byte = ord substr $$bytes, 0, 1, ''; $number |= ($byte & 127) << $shift; $shift += 7 }
  return $number;
}
