#include "files/formats/gguf_tokenizer.h"

#include "files/formats/byte_reader.h"

// The numbers of fields: https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto.

namespace t2v {
namespace {

constexpr uint32_t kGgufInteger = 5, kGgufFloat = 6, kGgufString = 8;
constexpr uint32_t kByte = 6;  // a piece of this type is a byte of what has no piece

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(0x80 | (value & 0x7F));
  return bytes + static_cast<char>(value);
}
std::string number_field(uint64_t field, uint64_t value) { return varint(field << 3) + varint(value); }
std::string bytes_field(uint64_t field, std::string_view bytes) {
  std::string text = varint(field << 3 | 2) + varint(bytes.size());
  return text.append(bytes);
}
std::string float_field(uint64_t field, float value) {
  std::string text = varint(field << 3 | 5);
  return text.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

/// Extra ids and padding, which no SentencePiece model has: the tokenizer adds the former itself.
bool is_added(std::string_view piece) { return piece.starts_with("<extra_id_") || piece.starts_with("[PAD"); }

std::string normalizer(const TensorFile& file) {
  const auto flag = [&](const char* key, bool fallback) {
    const auto found = file.metadata().find(key);
    return found == file.metadata().end() ? fallback : found->second == "true";
  };
  return bytes_field(1, "identity") + number_field(3, flag("tokenizer.ggml.add_space_prefix", true) ? 1 : 0) +
         number_field(4, flag("tokenizer.ggml.remove_extra_whitespaces", true) ? 1 : 0);
}

}  // namespace

std::string gguf_spiece_model(const TensorFile& file) {
  const auto& lists = file.lists();
  const auto tokens = lists.find("tokenizer.ggml.tokens");
  const auto scores = lists.find("tokenizer.ggml.scores");
  const auto types = lists.find("tokenizer.ggml.token_type");
  if (tokens == lists.end() || scores == lists.end() || types == lists.end()) return "";
  const std::string origin = file.path().string();
  const auto reader_of = [&](const StoredList& list) {
    return ByteReader(file.content().substr(list.begin), origin);
  };
  ByteReader token = reader_of(tokens->second), score = reader_of(scores->second),
             type = reader_of(types->second);
  const uint64_t count = tokens->second.count;
  if (tokens->second.type != kGgufString || scores->second.type != kGgufFloat ||
      types->second.type != kGgufInteger || scores->second.count != count || types->second.count != count) {
    token.refuse("tokens, scores and types that do not belong together", "three lists of one length");
  }
  std::string model;
  bool has_bytes = false;
  for (uint64_t i = 0; i < count; ++i) {
    const std::string_view piece = token.take_bytes(token.take<uint64_t>());
    if (is_added(piece)) break;
    const auto kind = static_cast<uint32_t>(type.take<int32_t>());
    has_bytes = has_bytes || kind == kByte;
    model +=
        bytes_field(1, bytes_field(1, piece) + float_field(2, score.take<float>()) + number_field(3, kind));
  }
  constexpr uint64_t kModelType = 3, kUnigram = 1, kByteFallback = 35;
  const std::string trainer =
      number_field(kModelType, kUnigram) + number_field(kByteFallback, has_bytes ? 1 : 0);
  return model + bytes_field(2, trainer) + bytes_field(3, normalizer(file));
}

}  // namespace t2v
