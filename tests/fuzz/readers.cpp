#include "readers.h"

#include <algorithm>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "cli/batch/batch_rows.h"
#include "cli/flags/given_flags.h"
#include "cli/flags/text_file.h"
#include "core/config.h"
#include "core/file.h"
#include "families/clip_vision_config.h"
#include "families/umt5_config.h"
#include "families/wan/autoencoder_kl_wan_config.h"
#include "families/wan/transformer_wan_config.h"
#include "files/checkpoints/checkpoint.h"
#include "files/checkpoints/component.h"
#include "files/checkpoints/lora.h"
#include "files/hub/listing.h"
#include "t2v/error.h"
#include "text/prompt_clean.h"
#include "text/tokenizer.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// The files below the fixtures whose names end so, but the largest.
std::vector<std::string> fixtures(const std::string& ending) {
  constexpr uintmax_t kLargest = 120'000;
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(T2V_FIXTURES)) {
    const bool ends = entry.is_regular_file() && entry.path().filename().string().ends_with(ending);
    if (ends && entry.file_size() <= kLargest) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> contents;
  for (const fs::path& file : files) contents.push_back(read_file(file, kLargest));
  return contents;
}

/// Runs something whose refusal does not keep the next thing from being tried.
template <typename Action>
void attempt(const Action& action) {
  try {
    action();
  } catch (const Error&) {
  }
}

/// A file of tensors is what a flag names: a checkpoint, or a LoRA. Every byte that a header points to is
/// read.
void read_tensors(const fs::path& file) {
  attempt([&] {
    const Checkpoint checkpoint = Checkpoint::open({.model = file});
    checkpoint.family->model_name(checkpoint.info());
    checkpoint.expect_complete();
  });
  attempt([&] { LoraFile::open(file, family_of_lora(*TensorFile::open(file))).made_for(); });
  const auto opened = TensorFile::open(file);
  for (const auto& [name, stored] : opened->tensors()) {
    if (stored.begin > stored.end || stored.end > opened->content().size())
      throw std::logic_error("outside: " + name);
    unsigned char all = 0;
    for (const std::byte byte : opened->bytes(stored)) all |= static_cast<unsigned char>(byte);
    [[maybe_unused]] static volatile unsigned char sink;
    sink = all;
  }
}

void read_config_json(const std::string& bytes) {
  const Config config = Config::parse(bytes, "config.json");
  attempt([&] { WanVACETransformer3DConfig::from_config(config); });
  attempt([&] { AutoencoderKLWanConfig::from_config(config); });
  attempt([&] { UMT5Config::from_config(config); });
  attempt([&] { CLIPVisionConfig::from_config(config); });
}

void encode(const Tokenizer& tokenizer) {
  for (const char* text : {"", "A red fox  walks", "一只白色的猫😀", "</s> <extra_id_3> \x01 龘e\u0301"}) {
    for (const int64_t id : tokenizer.encode(text, 64).ids) {
      if (id < 0 || id >= tokenizer.vocab_size()) throw std::logic_error("an id outside the vocabulary");
    }
  }
}

void read_rows(const fs::path& file) {
  const BatchRows rows = BatchRows::read(file);
  for (size_t row = 0; row < rows.size(); ++row) attempt([&] { rows.given(row, {}); });
}

std::string listing() {
  const std::string commit(40, 'a'), sha256(64, 'b');
  return R"({"sha": ")" + commit +
         R"(", "siblings": [{"rfilename": "model_index.json", "size": 3, "blobId": ")" + commit +
         R"("}, {"rfilename": "vae/m.fp16.safetensors", "size": 134, "blobId": ")" + commit +
         R"(", "lfs": {"sha256": ")" + sha256 + R"(", "size": 5000000000}}]})";
}

void read_listing(const std::string& bytes) {
  for (const char* variant : {"", "fp16"}) choose_files(parse_listing(bytes, "a/b"), {}, variant, "a/b");
}

}  // namespace

std::vector<FuzzedReader> fuzzed_readers() {
  using Bytes = const std::string&;
  using File = const fs::path&;
  const auto tensors = [](Bytes, File file) { read_tensors(file); };
  const auto tokenizer = [](Bytes, File file) { encode(*Tokenizer::open_file(file)); };
  const auto rows = [](Bytes, File file) { read_rows(file); };
  return {
      {"safetensors", fixtures(".safetensors"), tensors, "model.safetensors"},
      {"gguf", fixtures(".gguf"), tensors, "model.gguf"},
      {"torch", fixtures(".pth"), tensors, "model.pth"},
      {"index", fixtures(".index.json"), [](Bytes, File file) { read_shard_index(file); }, "x.index.json"},
      {"config", fixtures("config.json"), [](Bytes bytes, File) { read_config_json(bytes); }, ""},
      {"tokenizer", fixtures("tokenizer.json"), tokenizer, "tokenizer.json"},
      {"spiece", fixtures("spiece.model"), tokenizer, "spiece.model"},
      {"listing", {listing()}, [](Bytes bytes, File) { read_listing(bytes); }, ""},
      {"prompt",
       {"A red fox &amp; a 白色的猫\n", "<|x|> \xEF\xBB\xBF &#x41; \u201Cquoted\u201D \uFF21"},
       [](Bytes, File file) { prompt_clean(read_prompt(file)); },
       "prompt.txt"},
      {"rows.jsonl",
       {"{\"prompt\": \"a\", \"seed\": 1, \"lora\": [\"x:1\"]}\n{\"prompt\": \"b\"}\n"},
       rows,
       "x.jsonl"},
      {"rows.csv", {"prompt,seed\n\"a, \"\"b\"\"\",1\nc,2\r\n"}, rows, "x.csv"},
      {"rows.txt", {"a red ball\n# b\n\n{\"prompt\": \"c\"}\n"}, rows, "x.txt"},
      {"settings",
       {"{\n\"steps\": 4,\n\"prompt\": \"a\", \"lora\": [\"a:1\", \"b\"]}"},
       [](Bytes, File file) { read_config(file); },
       "t2v.json"},
  };
}

}  // namespace t2v
