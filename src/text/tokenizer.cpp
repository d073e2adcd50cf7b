#include "text/tokenizer.h"

#include <algorithm>

#include "core/file.h"
#include "t2v/error.h"
#include "text/tokenizer_readers.h"
#include "text/unicode.h"

namespace t2v {
namespace {

constexpr int64_t kLargestSpieceModel = 64 << 20;

/// The prompt's words behind tokens: "▁" is a space, and what is left of a character that was cut in two
/// goes.
std::string text_of(const std::vector<Token>& tokens, size_t first) {
  std::string text;
  for (size_t i = first; i < tokens.size(); ++i) text += tokens[i].text;
  text = replaced_all(text, "\u2581", " ");
  size_t start = 0;
  while (start < text.size() && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) ++start;
  return text.substr(std::min(text.find_first_not_of(' ', start), text.size()));
}

}  // namespace

Tokenizer::~Tokenizer() = default;

std::unique_ptr<Tokenizer> Tokenizer::open_folder(const std::filesystem::path& folder) {
  // symlink_status: a dangling link is a file that is missing, not one that nobody meant to be there.
  std::error_code ignored;
  const auto named = [&](const char* name) {
    return std::filesystem::exists(std::filesystem::symlink_status(folder / name, ignored));
  };
  if (named("tokenizer.json")) return open_tokenizer_json(folder / "tokenizer.json");
  if (named("spiece.model")) return open_file(folder / "spiece.model");
  throw Error(ErrorCode::kInput, {.doing = "opening the tokenizer " + folder.string(),
                                  .got = "neither tokenizer.json nor spiece.model",
                                  .expected = "one of them",
                                  .advice = "check the model's folder, or download it again"});
}

std::unique_ptr<Tokenizer> Tokenizer::open_file(const std::filesystem::path& file) {
  const MappedFile bytes(file);
  // JSON begins with a brace, a serialized message with the number of a field.
  if (bytes.size() > 0 && *bytes.data() == std::byte{'{'}) return open_tokenizer_json(file);
  return open_spiece_model(read_file(file, kLargestSpieceModel), file.string());
}

std::unique_ptr<Tokenizer> Tokenizer::open_spiece_model(const std::string& bytes, const std::string& origin) {
  return read_spiece_model(bytes, origin);
}

TokenIds assemble(std::vector<Token> tokens, const SpecialIds& special, int64_t max_length) {
  const auto added = static_cast<int64_t>(special.before.size() + special.after.size());
  if (max_length < added) {
    throw Error(ErrorCode::kInput, {.doing = "tokenizing a prompt",
                                    .got = "a length of " + std::to_string(max_length),
                                    .expected = "at least " + std::to_string(added)});
  }
  TokenIds result;
  const size_t kept = std::min(tokens.size(), static_cast<size_t>(max_length - added));
  result.dropped = text_of(tokens, kept);
  result.ids = special.before;
  for (size_t i = 0; i < kept; ++i) result.ids.push_back(tokens[i].id);
  result.ids.insert(result.ids.end(), special.after.begin(), special.after.end());
  result.length = static_cast<int64_t>(result.ids.size());
  result.ids.resize(static_cast<size_t>(max_length), special.padding);
  return result;
}

}  // namespace t2v
