#include <algorithm>
#include <bit>
#include <cmath>

#include "core/file.h"
#include "t2v/text.h"
#include "t2v/error.h"
#include "text/added_tokens.h"
#include "text/protobuf_reader.h"
#include "text/tokenizer_readers.h"
#include "text/unicode.h"

namespace t2v {
namespace {

constexpr int64_t kLargestFile = 64 << 20;
constexpr int64_t kExtraIds = 300;
constexpr std::string_view kSpace = "\u2581";

/// SentencePiece's types of pieces; those left out are 1, normal, and 5, unused.
enum PieceType : uint64_t { kNormal = 1, kUnknown = 2, kUserDefined = 4, kByte = 6 };

/// What this reader takes from a ModelProto (sentencepiece_model.proto).
struct Model {
  std::vector<Piece> pieces;
  std::vector<uint64_t> types;
  bool byte_fallback = false;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
};

[[noreturn]] void fail(const std::string& origin, const std::string& got, const std::string& expected) {
  throw Error(ErrorCode::kInput, {.doing = "reading " + origin, .got = got, .expected = expected});
}

void read_piece(const std::string& origin, std::string_view message, Model* model) {
  Piece piece;
  uint64_t type = kNormal;
  ProtobufReader reader(message, origin);
  while (const auto field = reader.next()) {
    if (field->number == 1) piece.text = field->bytes;
    if (field->number == 2) piece.score = std::bit_cast<float>(static_cast<uint32_t>(field->value));
    if (field->number == 3) type = field->value;
  }
  if (piece.text.empty() || !is_valid_utf8(piece.text) || !std::isfinite(piece.score)) {
    fail(origin, "piece " + std::to_string(model->pieces.size()) + " without text or score", "both");
  }
  piece.matched = type == kNormal || type == kUserDefined;
  // The library's bonus for symbols that a user asked for; its largest score is never below the smallest
  // float.
  if (type == kUserDefined) piece.score = -0.1;
  model->pieces.push_back(std::move(piece));
  model->types.push_back(type);
}

void read_trainer_spec(const std::string& origin, std::string_view message, Model* model) {
  ProtobufReader reader(message, origin);
  while (const auto field = reader.next()) {
    if (field->number == 3 && field->value != 1) fail(origin, "another model than Unigram", "Unigram");
    if (field->number == 24 && field->value != 0)
      fail(origin, "treat_whitespace_as_suffix", "no such option");
    if (field->number == 35) model->byte_fallback = field->value != 0;
  }
}

void read_normalizer_spec(const std::string& origin, std::string_view message, Model* model) {
  ProtobufReader reader(message, origin);
  while (const auto field = reader.next()) {
    if (field->number == 2 && !field->bytes.empty()) {
      fail(origin, "a normalizer with a precompiled_charsmap", "the identity, as UMT5 has");
    }
    if (field->number == 3) model->add_dummy_prefix = field->value != 0;
    if (field->number == 4) model->remove_extra_whitespaces = field->value != 0;
    if (field->number == 5 && field->value == 0) fail(origin, "escape_whitespaces off", "on");
  }
}

Model read_model(const std::filesystem::path& file) {
  const std::string origin = file.string();
  const std::string bytes = read_file(file, kLargestFile);
  Model model;
  ProtobufReader reader(bytes, origin);
  while (const auto field = reader.next()) {
    if (field->number == 1) read_piece(origin, field->bytes, &model);
    if (field->number == 2) read_trainer_spec(origin, field->bytes, &model);
    if (field->number == 3) read_normalizer_spec(origin, field->bytes, &model);
  }
  return model;
}

Unigram build(const std::string& origin, const Model& model) {
  const auto unknown = std::find(model.types.begin(), model.types.end(), kUnknown);
  if (unknown == model.types.end()) fail(origin, "no unknown piece", "one");
  const auto count = std::count(model.types.begin(), model.types.end(), kByte);
  const int expected = model.byte_fallback ? 256 : 0;
  if (count != expected) fail(origin, std::to_string(count) + " byte pieces", std::to_string(expected));
  return Unigram(model.pieces, {.unk_id = unknown - model.types.begin(),
                                .byte_fallback = model.byte_fallback,
                                .single_precision = true});
}

class SpieceTokenizer : public Tokenizer {
 public:
  SpieceTokenizer(const std::string& origin, const Model& model)
      : model_(build(origin, model)),
        add_dummy_prefix_(model.add_dummy_prefix),
        remove_extra_whitespaces_(model.remove_extra_whitespaces) {
    const auto id_of = [&](const char* name) {
      const int64_t id = model_.id_of(name);
      if (id < 0) fail(origin, std::string("no piece ") + name, "one");
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
      } else {
        model_.encode(normalized_part(part), &tokens);
      }
    });
    return assemble(std::move(tokens), special_, max_length);
  }

  int64_t vocab_size() const override { return model_.size() + kExtraIds; }

 private:
  /// SentencePiece's normalisation without a character map.
  std::string normalized_part(std::string_view part) const {
    std::string text;
    if (remove_extra_whitespaces_) {
      part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
    }
    if (part.empty()) return text;
    if (add_dummy_prefix_) text += kSpace;
    char previous = '\0';
    for (const char byte : part) {
      if (byte != ' ') {
        text += byte;
      } else if (previous != ' ' || !remove_extra_whitespaces_) {
        text += kSpace;
      }
      previous = byte;
    }
    while (remove_extra_whitespaces_ && text.ends_with(kSpace)) text.resize(text.size() - kSpace.size());
    return text;
  }

  Unigram model_;
  AddedTokens added_tokens_;
  SpecialIds special_;
  bool add_dummy_prefix_;
  bool remove_extra_whitespaces_;
};

}  // namespace

std::unique_ptr<Tokenizer> open_spiece_model(const std::filesystem::path& file) {
  return std::make_unique<SpieceTokenizer>(file.string(), read_model(file));
}

}  // namespace t2v
