#include <functional>

#include <sentencepiece_processor.h>

#include "t2v/error.h"
#include "text/tokenizer_readers.h"
#include "text/tokenizer_steps.h"

namespace t2v {
namespace {

constexpr int64_t kExtraIds = 300;

/// Calls `visit` with the number and the bytes of every length-delimited field of a serialized protobuf
/// message; stops where it is malformed, which the library's own parser then reports.
void for_each_field(std::string_view message, const std::function<void(uint64_t, std::string_view)>& visit) {
  const auto varint = [&message] {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && !message.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(message.front());
      message.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (!message.empty()) {
    const uint64_t key = varint();
    constexpr uint64_t kNoBytes = 0, kEight = 1, kDelimited = 2, kFour = 5;
    const uint64_t type = key & 7;
    if (type != kNoBytes && type != kEight && type != kDelimited && type != kFour) return;
    const uint64_t value = type == kEight ? 8 : type == kFour ? 4 : varint();
    if (type == kNoBytes) continue;
    if (value > message.size()) return;
    if (type == kDelimited) visit(key >> 3, message.substr(0, value));
    message.remove_prefix(value);
  }
}

/// Whether a serialized ModelProto brings a character map: the library crashes on a damaged one, and no UMT5
/// has one.
bool has_charsmap(std::string_view model) {
  constexpr uint64_t kNormalizerSpec = 3, kPrecompiledCharsmap = 2;
  bool found = false;
  for_each_field(model, [&](uint64_t number, std::string_view bytes) {
    if (number != kNormalizerSpec) return;
    for_each_field(bytes, [&](uint64_t inner, std::string_view map) {
      found |= inner == kPrecompiledCharsmap && !map.empty();
    });
  });
  return found;
}

class SpieceTokenizer : public Tokenizer {
 public:
  SpieceTokenizer(const std::string& model, const std::string& origin) {
    if (has_charsmap(model)) {
      throw Error(ErrorCode::kInput, {.doing = "reading " + origin,
                                      .got = "a normalizer with a precompiled_charsmap",
                                      .expected = "the identity, as UMT5 has"});
    }
    const sentencepiece::util::Status status = processor_.LoadFromSerializedProto(model);
    if (!status.ok()) {
      throw Error(ErrorCode::kInput, {.doing = "reading " + origin,
                                      .got = status.error_message(),
                                      .expected = "a SentencePiece model",
                                      .advice = "download the file again"});
    }
    const auto id_of = [&](const char* name) {
      const int64_t id = processor_.PieceToId(name);
      if (processor_.IdToPiece(static_cast<int>(id)) != name) {
        throw Error(ErrorCode::kInput, {.doing = "reading " + origin,
                                        .got = std::string("no piece ") + name,
                                        .expected = "one, as T5 models have"});
      }
      return id;
    };
    special_ = {.before = {}, .after = {id_of("</s>")}, .padding = id_of("<pad>")};
    std::vector<AddedToken> tokens;
    for (const char* name : {"<pad>", "</s>", "<unk>"})
      tokens.push_back({.id = id_of(name), .content = name});
    for (int64_t i = 0; i < kExtraIds; ++i) {
      tokens.push_back({.id = vocab_size() - 1 - i, .content = "<extra_id_" + std::to_string(i) + ">"});
    }
    added_tokens_ = AddedTokens(std::move(tokens));
  }

  TokenIds encode(std::string_view clean_text, int64_t max_length) const override {
    std::vector<Token> tokens;
    added_tokens_.split(clean_text, [&](std::string_view part, const AddedToken* token) {
      if (token != nullptr) {
        tokens.push_back({token->id, std::string(part)});
        return;
      }
      const auto encoded = processor_.EncodeAsImmutableProto({part.data(), part.size()});  // owns its pieces
      size_t end = 0;
      for (const auto& piece : encoded.pieces()) {
        tokens.push_back({piece.id(), std::string(part.substr(end, piece.end() - end))});
        end = piece.end();
      }
    });
    return assemble(std::move(tokens), special_, max_length);
  }

  int64_t vocab_size() const override { return processor_.GetPieceSize() + kExtraIds; }

 private:
  sentencepiece::SentencePieceProcessor processor_;
  AddedTokens added_tokens_;
  SpecialIds special_;
};

}  // namespace

std::unique_ptr<Tokenizer> read_spiece_model(const std::string& bytes, const std::string& origin) {
  return std::make_unique<SpieceTokenizer>(bytes, origin);
}

}  // namespace t2v
