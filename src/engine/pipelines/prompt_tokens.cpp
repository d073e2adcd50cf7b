#include "engine/pipelines/prompt_tokens.h"

#include <filesystem>
#include <memory>
#include <utility>

#include "core/log.h"
#include "core/text.h"
#include "text/prompt_clean.h"
#include "text/tokenizer.h"

namespace t2v {
namespace {

std::unique_ptr<Tokenizer> open_tokenizer(const Checkpoint& checkpoint, const std::string& name) {
  const TokenizerSource& source = checkpoint.get_tokenizer(name);
  if (!source.spiece_model.empty())
    return Tokenizer::open_spiece_model(source.spiece_model, checkpoint.origin);
  if (std::filesystem::is_directory(source.path)) return Tokenizer::open_folder(source.path);
  return Tokenizer::open_file(source.path);
}

std::vector<int64_t> real_tokens(const Tokenizer& tokenizer, const std::string& prompt, int64_t max_length) {
  TokenIds tokens = tokenizer.encode(prompt_clean(prompt), max_length);
  if (!tokens.dropped.empty()) {
    constexpr size_t kShown = 200;
    const std::string longest = std::to_string(max_length);
    log_warning("the prompt is longer than " + longest + " tokens; not used: \"" +
                escape_for_display(tokens.dropped).substr(0, kShown) +
                (tokens.dropped.size() > kShown ? "...\"" : "\""));
  }
  tokens.ids.resize(tokens.length);
  return std::move(tokens.ids);
}

}  // namespace

std::vector<std::vector<int64_t>> prompt_tokens(const Checkpoint& checkpoint, const std::string& text_encoder,
                                                const std::vector<std::string>& prompts, int64_t max_length) {
  const auto tokenizer = open_tokenizer(checkpoint, find_part(*checkpoint.family, text_encoder)->tokenizer);
  std::vector<std::vector<int64_t>> tokens;
  tokens.reserve(prompts.size());
  for (const std::string& prompt : prompts) tokens.push_back(real_tokens(*tokenizer, prompt, max_length));
  return tokens;
}

}  // namespace t2v
