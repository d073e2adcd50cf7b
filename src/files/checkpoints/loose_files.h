#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "families/family.h"
#include "files/checkpoints/component.h"
#include "t2v/error.h"

namespace t2v {

/// Place of a tokenizer: one of the two.
struct TokenizerSource {
  std::filesystem::path path = {};  ///< a folder with tokenizer.json or spiece.model, or one of these files
  std::string spiece_model = {};    ///< the bytes of a SentencePiece model that came inside a checkpoint
};

/// The tensors of a file, or of a folder without model_index.json: an original repository, a component's
/// folder, files put together by hand.
struct LooseFiles {
  /// Reads the headers of a file (of all shards, if it is one of them) or of a folder and the folders in it.
  /// Error (kInput) for a file that is damaged; in a folder it is passed over.
  static LooseFiles read(const std::filesystem::path& path);

  /// One file, or the shards of one, under the names that they have there.
  struct Tensors {
    Component component;
    std::filesystem::path folder;
  };
  std::filesystem::path path;
  bool is_folder = false;
  std::vector<Tensors> tensors;
  std::filesystem::path tokenizer;  ///< the folder that has one; empty: none
};

/// A part that was recognised, and the reason why its configuration is unknown, if it is.
struct LooseCandidate {
  Component component;
  std::optional<Error> error = {};
};

/// Recognised parts by PartKind::name; several of a name where a folder has files of several models.
struct LooseParts {
  std::map<std::string, std::vector<LooseCandidate>, std::less<>> candidates;
  std::set<std::string> found;  ///< names of all parts that are there, also of those that were left out
  std::map<std::string, TokenizerSource, std::less<>> tokenizers;
};

using ConfigsByPart = std::map<std::string, Config, std::less<>>;

struct LooseOptions {
  std::set<std::string, std::less<>> left_out = {};  ///< parts that nobody wants
  ConfigsByPart replaced = {};  ///< of the parts whose place these take, for values that no tensor tells
};

/// Recognises the parts of a family. In a folder, parts of other families are passed over, and of parts with
/// the same tensors the names of files and folders tell which one it is. Error (kInput) for a file without a
/// part of the family.
LooseParts recognise_loose_parts(const LooseFiles& files, const Family& family, const LooseOptions& options);

/// A tokenizer's folder or file. Error (kInput) if it is none.
TokenizerSource open_tokenizer(const std::filesystem::path& path);

/// Chooses one of several files that could be the same part of a model.
class PartChooser {
 public:
  /// `origin`: how errors call the folder of the files.
  PartChooser(const Family& family, std::string origin) : family_(family), origin_(std::move(origin)) {}

  /// The candidate that fits the transformer, or the only candidate; nothing if there is none. A candidate
  /// that does not fit is passed over beside one that does, and always if models need not have this part.
  /// Several that fit are remembered for expect_decided(). `transformer` may be null: everything fits then.
  /// Error (kInput) as the candidate has it.
  std::optional<Component> choose(const std::string& part, std::vector<LooseCandidate> candidates,
                                  const Component* transformer);

  /// Error (kInput) that names every part with several candidates, and their files.
  void expect_decided() const;

 private:
  const Family& family_;
  std::string origin_;
  std::vector<std::string> conflicts_, settings_;
};

}  // namespace t2v
