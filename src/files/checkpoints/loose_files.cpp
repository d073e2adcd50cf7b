#include "files/checkpoints/loose_files.h"

#include <algorithm>
#include <utility>

#include "core/log.h"
#include "core/setting.h"
#include "families/registry.h"
#include "files/checkpoints/recognise.h"
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

/// The part that a config.json belongs to, by the longest word that its class has; "" if it does not tell.
std::string part_of(const Config& config, const Family& family) {
  const std::string class_name = config.text("_class_name", config.text("model_type", ""));
  std::string longest, name;
  for (const PartKind& part : family.parts()) {
    for (const std::string& word : part.config_words) {
      if (word.size() <= longest.size() || class_name.find(word) == std::string::npos) continue;
      longest = word;
      name = part.name;
    }
  }
  return name;
}

/// Names, without extension, of files of weights in diffusers and transformers.
std::set<std::string> library_weights() {
  std::set<std::string> names;
  for (const Family* family : families()) {
    for (const PartKind& part : family->parts()) names.insert(part.weights);
  }
  names.erase("");
  return names;
}

/// Reads the headers of a folder and of the folders in it.
class FolderReader {
 public:
  explicit FolderReader(LooseFiles& files) : files_(files) {}

  void read(const fs::path& folder, int depth) {
    read_tokenizer(folder);
    std::vector<fs::path> entries;
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::end(entry);
         entry.increment(error)) {
      if (!entry->path().filename().string().starts_with(".")) entries.push_back(entry->path());
    }
    std::sort(entries.begin(), entries.end());
    std::set<fs::path> done = read_weights_of_library(folder, entries);
    for (const fs::path& entry : entries) {
      if (fs::is_directory(entry, error)) {
        if (depth < kDeepestFolder) read(entry, depth + 1);
      } else if (is_named_like_tensors(entry) && !done.contains(entry)) {
        const std::vector<fs::path> shards = with_sibling_shards(entry);
        done.insert(shards.begin(), shards.end());
        read_file_among_others(shards, entry, folder);
      }
    }
  }

 private:
  /// A file that somebody put beside those of the model: one that cannot be read is passed over.
  void read_file_among_others(const std::vector<fs::path>& shards, const fs::path& file,
                              const fs::path& folder) {
    try {
      files_.tensors.push_back({open_tensors(shards, file.string()), folder});
    } catch (const Error& error) {
      log_warning(std::string("passing over a file: ") + error.what());
    }
  }

  /// Weights under the names that diffusers and transformers give them: an index or one of their variants.
  /// Returns the files of that name, which are not read again.
  std::set<fs::path> read_weights_of_library(const fs::path& folder, const std::vector<fs::path>& entries) {
    std::set<fs::path> done;
    for (const std::string& base : library_weights()) {
      if (!find_weights(folder, base)) continue;
      Component component = open_tensors(folder, base);
      if (recognise_family({&component}) == nullptr) continue;
      files_.tensors.push_back({std::move(component), folder});
      for (const fs::path& entry : entries) {
        const std::string name = entry.filename().string();
        if (name.starts_with(base + ".") || name.starts_with(base + "-")) done.insert(entry);
      }
    }
    return done;
  }

  void read_tokenizer(const fs::path& folder) {
    // XLM-RoBERTa's, which original repositories have for a part that nobody runs.
    const bool other = is_file(folder / "sentencepiece.bpe.model");
    const bool found = is_file(folder / "spiece.model") || is_file(folder / "tokenizer.json");
    if (found && !other) files_.tokenizer = folder;
  }

  LooseFiles& files_;
};

/// Recognises the parts of a family in loose files.
class Recogniser {
 public:
  Recogniser(const LooseFiles& files, const Family& family, const LooseOptions& options)
      : files_(files), family_(family), options_(options) {}

  LooseParts run() {
    for (const LooseFiles::Tensors& tensors : files_.tensors) add(tensors);
    // A folder's own files come before the tokenizer inside a text encoder's file.
    if (!files_.tokenizer.empty()) parts_.tokenizers[name_of_tokenizer()] = {.path = files_.tokenizer};
    return std::move(parts_);
  }

 private:
  void add(const LooseFiles::Tensors& tensors) {
    auto recognised = recognise_parts(tensors.component, family_);
    if (recognised.empty() && !files_.is_folder) throw unknown_tensors_error(tensors.component);
    for (auto& [network, part] : recognised) {
      const std::string name = name_of(network, tensors);
      LooseCandidate candidate{.component = std::move(part.component)};
      const bool wanted = !options_.left_out.contains(name);
      if (wanted) set_config(name, part.naming, tensors.folder, candidate);
      if (files_.is_folder && wanted && !candidate.error &&
          !family_.fits(network, candidate.component.info(), nullptr)) {
        log_verbose("passing over " + tensors.component.origin + ": no " + network + " of " + any_model());
        continue;
      }
      parts_.found.insert(name);
      if (!wanted) continue;
      add_spiece_model(tensors.component, name);
      parts_.candidates[name].push_back(std::move(candidate));
    }
  }

  /// The part, or a twin of it, whatever the names of files tell. A file that was named alone may be the only
  /// transformer, whatever its own name tells.
  std::string name_of(const std::string& network, const LooseFiles::Tensors& tensors) const {
    const fs::path named = files_.is_folder ? tensors.component.files.front()->path() : tensors.folder;
    const PartKind* called = find_part(family_, family_.part_called(named));
    return called != nullptr && called->network() == network ? called->name : network;
  }

  void set_config(const std::string& name, const std::string& naming, const fs::path& folder,
                  LooseCandidate& candidate) const {
    const std::string& network = find_part(family_, name)->network();
    const auto replaced = options_.replaced.find(name);
    try {
      const Config beside = config_beside(folder, network);
      // A config.json that diffusers or transformers wrote beside tensors under their names is complete.
      const bool complete =
          (naming == "diffusers" || naming == "transformers") && part_of(beside, family_) == network;
      candidate.component.config =
          complete ? beside
                   : family_.derive_config(
                         network, candidate.component.info(),
                         {.beside = beside,
                          .replaced = replaced != options_.replaced.end() ? replaced->second : no_config()});
    } catch (const Error& error) {
      if (!files_.is_folder) throw;
      candidate.error = error;
    }
  }

  /// The config.json of the folder, if it belongs to this part or does not tell to which.
  Config config_beside(const fs::path& folder, const std::string& network) const {
    if (!is_file(folder / "config.json")) return no_config();
    const Config config = Config::read(folder / "config.json");
    const std::string owner = part_of(config, family_);
    return owner.empty() || owner == network ? config : no_config();
  }

  /// ComfyUI's text encoders bring their tokenizer as a tensor of bytes, llama.cpp's as lists.
  void add_spiece_model(const Component& tensors, const std::string& name) {
    const std::string& tokenizer = find_part(family_, name)->tokenizer;
    if (tokenizer.empty() || parts_.tokenizers.contains(tokenizer)) return;
    std::string model;
    for (const auto& file : tensors.files) {
      if (std::string found = gguf_spiece_model(*file); !found.empty()) model = std::move(found);
    }
    for (const auto& [tensor, source] : tensors.tensors) {
      if (tensor != "spiece_model" && !tensor.ends_with(".spiece_model")) continue;
      const auto bytes = source.file->bytes(source.stored);
      model.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    if (!model.empty()) parts_.tokenizers[tokenizer] = {.spiece_model = model};
  }

  /// The first tokenizer that a part of the family uses.
  std::string name_of_tokenizer() const {
    for (const PartKind& part : family_.parts()) {
      if (!part.tokenizer.empty()) return part.tokenizer;
    }
    return "tokenizer";
  }

  const LooseFiles& files_;
  const Family& family_;
  const LooseOptions& options_;
  LooseParts parts_;
};

/// "two", "three", "12".
std::string count_word(size_t count) {
  if (count == 2) return "two";
  return count == 3 ? "three" : std::to_string(count);
}

template <typename Range, typename Text>
std::string joined(const Range& items, const char* between, const Text& text) {
  std::string line;
  for (const auto& item : items) line.append(line.empty() ? "" : between).append(text(item));
  return line;
}

}  // namespace

LooseFiles LooseFiles::read(const fs::path& path) {
  std::error_code ignored;
  LooseFiles files{
      .path = path, .is_folder = fs::is_directory(path, ignored), .tensors = {}, .tokenizer = {}};
  if (files.is_folder) {
    FolderReader(files).read(path, 0);
  } else {
    files.tensors.push_back({open_tensors(with_sibling_shards(path), path.string()), path.parent_path()});
  }
  return files;
}

LooseParts recognise_loose_parts(const LooseFiles& files, const Family& family, const LooseOptions& options) {
  return Recogniser(files, family, options).run();
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
           "a tokenizer", "name the folder of a repository that has one of them");
  }
  return {.path = path};
}

std::optional<Component> PartChooser::choose(const std::string& part, std::vector<LooseCandidate> candidates,
                                             const Component* transformer) {
  const std::optional<PartInfo> wanted = transformer ? std::optional(transformer->info()) : std::nullopt;
  const auto others =
      std::stable_partition(candidates.begin(), candidates.end(), [&](const LooseCandidate& candidate) {
        return !wanted || family_.fits(part, candidate.component.info(), &*wanted);
      });
  // A part that many models do without may belong to another model; a needed one is refused by name.
  if (others != candidates.begin() || !find_part(family_, part)->required) {
    for (auto other = others; other != candidates.end(); ++other) {
      log_verbose("passing over " + other->component.origin + ": a " + part + " of another model");
    }
    candidates.erase(others, candidates.end());
  }
  if (candidates.empty()) return std::nullopt;
  if (candidates.size() > 1) {
    const auto origin = [](const LooseCandidate& candidate) { return candidate.component.origin; };
    conflicts_.push_back(count_word(candidates.size()) + " of " + part + ": " +
                         joined(candidates, " and ", origin));
    settings_.push_back(setting(part));
    for (const PartKind& other : family_.parts()) {
      if (other.twin != part) continue;
      settings_.back() += " (or the two experts with " + setting(part) + " and " + setting(other.name) + ")";
    }
    return std::nullopt;
  }
  if (candidates.front().error) throw Error(*candidates.front().error);
  return std::move(candidates.front().component);
}

void PartChooser::expect_decided() const {
  if (conflicts_.empty()) return;
  const auto same = [](const std::string& text) { return text; };
  throw Error(ErrorCode::kInput, {.doing = "reading " + origin_,
                                  .got = joined(conflicts_, "; ", same),
                                  .expected = "one of each",
                                  .advice = "name one with " + joined(settings_, ", one with ", same)});
}

}  // namespace t2v
