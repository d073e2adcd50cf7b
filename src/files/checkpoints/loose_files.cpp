#include "files/checkpoints/loose_files.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "core/log.h"
#include "files/checkpoints/derive_config.h"
#include "files/checkpoints/expected_tensors.h"
#include "files/checkpoints/identify.h"
#include "files/formats/gguf_tokenizer.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepestFolder = 3;

[[noreturn]] void refuse(const fs::path& path, const std::string& got, const std::string& expected,
                         const std::string& advice) {
  throw Error(ErrorCode::kInput,
              {.doing = "reading " + path.string(), .got = got, .expected = expected, .advice = advice});
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// "name-00001-of-00003.gguf" -> all three; any other file -> itself.
std::vector<fs::path> with_sibling_shards(const fs::path& file) {
  constexpr std::string_view kPattern = "-#####-of-#####";
  const std::string stem = file.stem().string();
  const size_t start = stem.size() - std::min(stem.size(), kPattern.size());
  bool is_shard = stem.size() > kPattern.size();
  for (size_t i = 0; is_shard && i < kPattern.size(); ++i) {
    const char letter = stem[start + i];
    is_shard = kPattern[i] == '#' ? letter >= '0' && letter <= '9' : letter == kPattern[i];
  }
  if (!is_shard) return {file};
  const int count = std::stoi(stem.substr(stem.size() - 5));
  std::vector<fs::path> shards;
  for (int i = 1; i <= count; ++i) {
    std::string number = std::to_string(i);
    number.insert(0, 5 - std::min<size_t>(number.size(), 5), '0');
    const fs::path shard = file.parent_path() / (stem.substr(0, start) + "-" + number +
                                                 stem.substr(start + 6) + file.extension().string());
    if (!is_file(shard)) {
      refuse(file, "no " + shard.filename().string() + " beside it",
             "all " + std::to_string(count) + " parts", "download the others");
    }
    shards.push_back(shard);
  }
  return shards;
}

/// Which component a config.json is of; "" if it does not say.
std::string component_of(const Config& config) {
  const std::string class_name = config.text("_class_name", config.text("model_type", ""));
  if (class_name.find("Autoencoder") != std::string::npos) return "vae";
  if (class_name.find("Wan") != std::string::npos) return "transformer";
  if (class_name.find("t5") != std::string::npos) return "text_encoder";
  if (class_name.find("clip") != std::string::npos) return "image_encoder";
  return "";
}

/// The config.json of the folder, if it is of this component or does not say of which.
Config config_beside(const fs::path& folder, const std::string& component) {
  if (!is_file(folder / "config.json")) return no_config();
  const Config config = Config::read(folder / "config.json");
  const std::string owner = component_of(config);
  return owner.empty() || owner == component ? config : no_config();
}

/// What people call a file, in lower case.
struct Name {
  std::string letters;          ///< nothing but them
  std::string joined;           ///< letters and digits
  std::set<std::string> words;  ///< runs of letters
};
Name understand(const std::string& text) {
  Name name;
  std::string word;
  for (const char byte : text + '.') {
    const auto letter = static_cast<unsigned char>(byte);
    if (std::isalnum(letter) != 0) name.joined += static_cast<char>(std::tolower(letter));
    if (std::isalpha(letter) != 0) {
      word += static_cast<char>(std::tolower(letter));
      continue;
    }
    name.letters += word;
    name.words.insert(std::exchange(word, ""));
  }
  return name;
}

/// Whether a component has what tells its kind, and lacks too much of what a Wan model's has to be a damaged
/// one.
bool is_of_another_family(const std::string& kind, const Component& component) {
  constexpr size_t kMostLacking = 10;  // in percent
  TensorShapes expected;
  try {
    expected = expected_tensors(kind, component.config);
  } catch (const Error&) {
    return false;  // of sizes that are refused by name when it is used
  }
  size_t lacking = 0;
  for (const auto& [name, shape] : expected) {
    lacking += component.has(name) || component.has("vision_model." + name) ? 0 : 1;
  }
  return lacking * 100 > expected.size() * kMostLacking;
}

/// Collects the parts of a folder and of the folders in it.
class Collector {
 public:
  Collector(const LooseOptions& options, bool is_folder) : options_(options), is_folder_(is_folder) {}

  LooseParts take() { return std::move(parts_); }

  /// Whether a component was in them.
  bool add_tensors(const Component& tensors, const fs::path& folder) {
    std::map<std::string, Identified, std::less<>> identified = identify(tensors);
    for (auto& [kind, part] : identified) {
      const bool second =
          kind == "transformer" && expert_called(name_of(tensors, folder)) == Expert::kLowNoise;
      const std::string name = second ? "transformer_2" : kind;
      LooseCandidate candidate{.component = std::move(part.component)};
      const bool wanted = !options_.left_out.contains(name);
      if (wanted) set_config(name, part.naming, folder, candidate);
      if (is_folder_ && wanted && !candidate.error && is_of_another_family(kind, candidate.component)) {
        log_verbose("passing over " + tensors.origin + ": no " + kind + " of a Wan model");
        continue;
      }
      parts_.found.insert(name);
      if (!wanted) continue;
      add_spiece_model(tensors, kind);
      parts_.candidates[name].push_back(std::move(candidate));
    }
    return !identified.empty();
  }

  void add_folder(const fs::path& folder, int depth) {
    add_tokenizer_folder(folder);
    std::vector<fs::path> entries;
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::end(entry);
         entry.increment(error)) {
      if (!entry->path().filename().string().starts_with(".")) entries.push_back(entry->path());
    }
    std::sort(entries.begin(), entries.end());
    std::set<fs::path> done = add_weights_of_library(folder, entries);
    for (const fs::path& entry : entries) {
      if (fs::is_directory(entry, error)) {
        if (depth < kDeepestFolder) add_folder(entry, depth + 1);
      } else if (is_named_like_tensors(entry) && !done.contains(entry)) {
        const std::vector<fs::path> shards = with_sibling_shards(entry);
        done.insert(shards.begin(), shards.end());
        add_file_among_others(shards, entry, folder);
      }
    }
  }

 private:
  /// A file that somebody put beside those of the model: one that cannot be read is passed over.
  void add_file_among_others(const std::vector<fs::path>& shards, const fs::path& file,
                             const fs::path& folder) {
    std::optional<Component> tensors;
    try {
      tensors = open_tensors(shards, file.string());
    } catch (const Error& error) {
      log_warning(std::string("passing over a file: ") + error.what());
      return;
    }
    add_tensors(*tensors, folder);
  }

  /// Weights under the names that diffusers and transformers give them: an index or one of their variants.
  /// Returns the files of that name, which are not looked at again.
  std::set<fs::path> add_weights_of_library(const fs::path& folder, const std::vector<fs::path>& entries) {
    std::set<fs::path> done;
    for (const std::string base : {"diffusion_pytorch_model", "model"}) {
      if (!find_weights(folder, base)) continue;
      if (!add_tensors(open_tensors(folder, base), folder)) continue;
      for (const fs::path& entry : entries) {
        const std::string name = entry.filename().string();
        if (name.starts_with(base + ".") || name.starts_with(base + "-")) done.insert(entry);
      }
    }
    return done;
  }

  void set_config(const std::string& name, std::string_view naming, const fs::path& folder,
                  LooseCandidate& candidate) const {
    const std::string kind = name == "transformer_2" ? "transformer" : name;
    Component& component = candidate.component;
    const auto replaced = options_.replaced.find(name);
    try {
      const Config beside = config_beside(folder, kind);
      // What diffusers or transformers wrote beside tensors under their names is meant for them.
      const bool complete = naming == "diffusers" || naming == "transformers";
      component.config =
          complete && component_of(beside) == kind
              ? beside
              : derive_config(
                    kind, component,
                    {.beside = beside,
                     .replaced = replaced != options_.replaced.end() ? replaced->second : no_config()});
    } catch (const Error& error) {
      if (!is_folder_) throw;
      candidate.error = error;
    }
  }

  /// ComfyUI's text encoders bring their tokenizer as a tensor of bytes, llama.cpp's as lists.
  void add_spiece_model(const Component& tensors, const std::string& kind) {
    if (kind != "text_encoder" || parts_.tokenizer) return;
    for (const auto& file : tensors.files) {
      const std::string model = gguf_spiece_model(*file);
      if (!model.empty()) parts_.tokenizer = TokenizerSource{.spiece_model = model};
    }
    for (const auto& [name, source] : tensors.tensors) {
      if (name != "spiece_model" && !name.ends_with(".spiece_model")) continue;
      const auto bytes = source.file->bytes(source.stored);
      parts_.tokenizer = TokenizerSource{
          .spiece_model = std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())};
    }
  }

  void add_tokenizer_folder(const fs::path& folder) {
    // XLM-RoBERTa's, which original repositories have for a part that nobody runs.
    const bool other = is_file(folder / "sentencepiece.bpe.model");
    const bool found = is_file(folder / "spiece.model") || is_file(folder / "tokenizer.json");
    // A folder's own files come before what a text encoder's file has inside.
    if (found && !other) parts_.tokenizer = TokenizerSource{.path = folder};
  }

  /// What tells an expert: a file that was named alone may be the only transformer, whatever it is called.
  fs::path name_of(const Component& tensors, const fs::path& folder) const {
    return is_folder_ ? tensors.files.front()->path() : folder;
  }

  const LooseOptions& options_;
  const bool is_folder_;
  LooseParts parts_;
};

}  // namespace

Expert expert_called(const fs::path& path) {
  for (const fs::path& named : {path.filename(), path.parent_path().filename()}) {
    const Name name = understand(named.string());
    // "HIGH" alone is an expert's in the name of a model that has experts, else it may be a camera's angle.
    const bool has_experts =
        name.joined.find("wan22") != std::string::npos || name.joined.find("a14b") != std::string::npos;
    const auto called = [&](const char* word) {
      return name.letters.find(std::string(word) + "noise") != std::string::npos ||
             (has_experts && name.words.contains(word));
    };
    const bool high = called("high"), low = called("low");
    if (high != low) return high ? Expert::kHighNoise : Expert::kLowNoise;
  }
  return Expert::kUnknown;
}

std::string flag_of(std::string_view component) {
  std::string flag = "--" + std::string(component);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

LooseParts open_loose_parts(const fs::path& path, const LooseOptions& options) {
  std::error_code ignored;
  const bool is_folder = fs::is_directory(path, ignored);
  Collector collector(options, is_folder);
  if (is_folder) {
    collector.add_folder(path, 0);
  } else {
    const Component tensors = open_tensors(with_sibling_shards(path), path.string());
    if (!collector.add_tensors(tensors, path.parent_path())) throw unknown_tensors_error(tensors);
  }
  return collector.take();
}

TokenizerSource open_tokenizer(const fs::path& path) {
  std::error_code ignored;
  const bool folder = fs::is_directory(path, ignored);
  const auto has_one = [](const fs::path& in) {
    return is_file(in / "tokenizer.json") || is_file(in / "spiece.model");
  };
  if (folder && !has_one(path) && has_one(path / "tokenizer")) return {.path = path / "tokenizer"};
  if (folder ? !has_one(path) : !is_file(path)) {
    refuse(path, folder ? "a folder without tokenizer.json or spiece.model" : "no such file or folder",
           "a tokenizer", "name the folder tokenizer/ or google/umt5-xxl/ of a Wan repository");
  }
  return {.path = path};
}

}  // namespace t2v
