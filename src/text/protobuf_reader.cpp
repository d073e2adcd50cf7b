#include "text/protobuf_reader.h"

#include "t2v/error.h"

namespace t2v {

ProtobufReader::ProtobufReader(std::string_view message, std::string origin)
    : rest_(message), origin_(std::move(origin)) {}

void ProtobufReader::fail() const {
  throw Error(ErrorCode::kInput, {.doing = "reading " + origin_,
                                  .got = "bytes that are not a protobuf message",
                                  .expected = "a SentencePiece model",
                                  .advice = "download the file again"});
}

std::string_view ProtobufReader::take(uint64_t size) {
  if (size > rest_.size()) fail();
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

uint64_t ProtobufReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<uint8_t>(take(1)[0]);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  fail();
}

uint64_t ProtobufReader::fixed(size_t size) {
  const std::string_view bytes = take(size);
  uint64_t value = 0;
  for (size_t i = size; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

std::optional<ProtobufField> ProtobufReader::next() {
  using Kind = ProtobufField::Kind;
  if (rest_.empty()) return std::nullopt;
  const uint64_t tag = varint();
  ProtobufField field;
  field.number = tag >> 3;
  if (field.number == 0 || field.number > UINT32_MAX >> 3) fail();
  switch (tag & 7) {
    case 0:
      field.kind = Kind::kVarint;
      field.value = varint();
      break;
    case 1:
      field.kind = Kind::kFixed64;
      field.value = fixed(8);
      break;
    case 2:
      field.kind = Kind::kBytes;
      field.bytes = take(varint());
      break;
    case 5:
      field.kind = Kind::kFixed32;
      field.value = fixed(4);
      break;
    default:
      fail();
  }
  return field;
}

}  // namespace t2v
