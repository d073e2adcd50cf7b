#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "t2v/error.h"
#include "text/tokenizer_readers.h"
#include "text/tokenizer_steps.h"

namespace t2v {
namespace {

using Json = nlohmann::json;

constexpr int64_t kLargestFile = 64 << 20;

/// JSON values are copied and freed by recursion, which a hostile file could drive through the stack.
constexpr int kDeepest = 32;

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& got) {
  throw Error(ErrorCode::kInput, {.doing = "reading " + file.string(),
                                  .got = got,
                                  .expected = "a tokenizer as a JSON object",
                                  .advice = "download the file again"});
}

/// A tokenizer.json whose vocabulary was taken out while parsing: as JSON values it is most of the time and
/// memory.
struct File {
  Config root;
  std::vector<Piece> vocab;
};

/// Takes the entries of model.vocab, each [text, score], as the parser meets them.
class VocabTaker {
 public:
  VocabTaker(const std::filesystem::path& file, std::vector<Piece>* vocab) : file_(file), vocab_(vocab) {}

  /// For nlohmann's parser: false leaves the value out of the parsed object.
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kDeepest) fail(file_, "values nested deeper than " + std::to_string(kDeepest));
    if (event == Json::parse_event_t::key) {
      if (depth == 1) in_model_ = parsed == "model";
      if (depth <= 2) in_vocab_ = depth == 2 && in_model_ && parsed == "vocab";
      if (depth == 2 && in_vocab_) vocab_->clear();
      return true;
    }
    if (!in_vocab_ || depth != 3 || event != Json::parse_event_t::array_end) return true;
    if (parsed.size() != 2 || !parsed[0].is_string() || !parsed[1].is_number()) return true;
    vocab_->push_back({std::move(parsed[0].get_ref<std::string&>()), parsed[1].get<double>()});
    return false;
  }

 private:
  const std::filesystem::path& file_;
  std::vector<Piece>* vocab_;
  bool in_model_ = false;
  bool in_vocab_ = false;
};

File parse(const std::filesystem::path& path) {
  const std::string text = read_file(path, kLargestFile);
  std::vector<Piece> vocab;
  VocabTaker taker(path, &vocab);
  const Json root = Json::parse(text, std::ref(taker), /*allow_exceptions=*/false);
  if (root.is_discarded()) fail(path, "text that is not JSON");
  if (!root.is_object()) fail(path, "JSON that is not an object");
  return {Config(root, path.string()), std::move(vocab)};
}

Unigram read_model(const Config& root, std::vector<Piece> vocab) {
  const Config model = object_at(root, "model");
  expect_keys(model, {"type", "unk_id", "vocab", "byte_fallback"});
  if (model.text("type", "") != "Unigram") model.fail("type", "Unigram");
  if (!model.has("vocab") || model.json().at("vocab") != Json::array()) {
    model.fail("vocab", "a list of [text, score]");
  }
  const auto size = static_cast<int64_t>(vocab.size());
  if (size == 0) model.fail("vocab", "at least one piece");
  const int64_t unk_id = model.integer("unk_id", -1, 0, size - 1);
  if (unk_id < 0) model.fail("unk_id", "the id of the unknown piece");
  return Unigram(std::move(vocab),
                 {.unk_id = unk_id, .byte_fallback = model.boolean("byte_fallback", false)});
}

/// The added tokens that are looked for before normalisation, and those looked for after it.
struct AddedTokenLists {
  std::vector<AddedToken> raw = {};
  std::vector<AddedToken> normalized = {};
  int64_t vocab_size = 0;
};

AddedTokenLists read_added_tokens(const Config& root, const Unigram& model, const Normalizer& normalizer) {
  AddedTokenLists lists{.vocab_size = model.size()};
  if (!root.has("added_tokens")) return lists;
  for (const Config& entry : objects_at(root, "added_tokens")) {
    expect_keys(entry, {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
    AddedToken token{.id = entry.integer("id", -1, 0),
                     .content = entry.text("content", ""),
                     .single_word = entry.boolean("single_word", false),
                     .lstrip = entry.boolean("lstrip", false),
                     .rstrip = entry.boolean("rstrip", false)};
    // The package gives a new token the next id whatever the file says; a file that says otherwise is
    // damaged.
    const int64_t known = model.id_of(token.content);
    const int64_t expected = known >= 0 ? known : lists.vocab_size;
    if (token.id != expected) entry.fail("id", std::to_string(expected) + ", the place of this token");
    lists.vocab_size = std::max(lists.vocab_size, token.id + 1);
    const bool normalized = entry.boolean("normalized", !entry.boolean("special", false));
    if (normalized) token.content = normalizer(std::move(token.content));
    if (token.content.empty()) entry.fail("content", "some text");
    (normalized ? lists.normalized : lists.raw).push_back(std::move(token));
  }
  return lists;
}

std::vector<int64_t> read_special_ids(const Config& processor, const std::string& name) {
  const Config entry = object_at(object_at(processor, "special_tokens"), name);
  if (!entry.has("ids")) entry.fail("ids", "a list of ids");
  return entry.integers("ids", {});
}

/// Reads the `single` template of a TemplateProcessing: the prompt ("A") with special tokens before and after
/// it.
void read_post_processor(const Config& processor, SpecialIds* special) {
  expect_keys(processor, {"type", "single", "pair", "special_tokens"});
  if (processor.text("type", "") != "TemplateProcessing") processor.fail("type", "TemplateProcessing");
  bool after_prompt = false;
  for (const Config& item : objects_at(processor, "single")) {
    expect_keys(item, {"Sequence", "SpecialToken"});
    if (item.has("Sequence") && !after_prompt && object_at(item, "Sequence").text("id", "") == "A") {
      after_prompt = true;
      continue;
    }
    if (!item.has("SpecialToken")) processor.fail("single", "special tokens around one Sequence A");
    const std::string name = object_at(item, "SpecialToken").text("id", "");
    std::vector<int64_t>& ids = after_prompt ? special->after : special->before;
    for (const int64_t id : read_special_ids(processor, name)) ids.push_back(id);
  }
  if (!after_prompt) processor.fail("single", "special tokens around one Sequence A");
}

class JsonTokenizer : public Tokenizer {
 public:
  explicit JsonTokenizer(File file)
      : model_(read_model(file.root, std::move(file.vocab))),
        normalizer_(file.root.has("normalizer") ? Normalizer(object_at(file.root, "normalizer"))
                                                : Normalizer()),
        pre_tokenizer_(file.root.has("pre_tokenizer") ? PreTokenizer(object_at(file.root, "pre_tokenizer"))
                                                      : PreTokenizer()) {
    expect_keys(file.root, {"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
                            "post_processor", "decoder", "model"});
    AddedTokenLists added = read_added_tokens(file.root, model_, normalizer_);
    raw_tokens_ = AddedTokens(std::move(added.raw));
    normalized_tokens_ = AddedTokens(std::move(added.normalized));
    vocab_size_ = added.vocab_size;
    if (file.root.has("post_processor"))
      read_post_processor(object_at(file.root, "post_processor"), &special_);
    special_.padding = model_.id_of("<pad>");
    if (special_.padding < 0) file.root.fail("model", "a piece <pad>");
    for (const std::vector<int64_t>* ids : {&special_.before, &special_.after}) {
      for (const int64_t id : *ids) {
        if (id >= vocab_size_) file.root.fail("post_processor", "ids below " + std::to_string(vocab_size_));
      }
    }
  }

  TokenIds encode(std::string_view clean_text, int64_t max_length) const override {
    std::vector<Token> tokens;
    raw_tokens_.split(clean_text, [&](std::string_view part, const AddedToken* token) {
      if (token != nullptr) {
        tokens.push_back({token->id, std::string(part)});
      } else {
        encode_part(part, part.data() == clean_text.data(), &tokens);
      }
    });
    return assemble(std::move(tokens), special_, max_length);
  }

  int64_t vocab_size() const override { return vocab_size_; }

 private:
  /// Text without raw added tokens. `at_start`: the prompt starts with it.
  void encode_part(std::string_view part, bool at_start, std::vector<Token>* tokens) const {
    const std::string text = normalizer_(std::string(part));
    normalized_tokens_.split(text, [&](std::string_view words, const AddedToken* token) {
      if (token != nullptr) {
        tokens->push_back({token->id, std::string(words)});
        return;
      }
      const bool first = at_start && words.data() == text.data();
      for (const Segment& segment : pre_tokenizer_({std::string(words), first})) {
        model_.encode(segment.text, tokens);
      }
    });
  }

  Unigram model_;
  Normalizer normalizer_;
  PreTokenizer pre_tokenizer_;
  AddedTokens raw_tokens_, normalized_tokens_;
  SpecialIds special_;
  int64_t vocab_size_ = 0;
};

}  // namespace

std::unique_ptr<Tokenizer> open_tokenizer_json(const std::filesystem::path& file) {
  return std::make_unique<JsonTokenizer>(parse(file));
}

}  // namespace t2v
