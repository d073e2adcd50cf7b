#pragma once

#include <optional>
#include <string>
#include <vector>

#include "files/checkpoints/loose_files.h"

namespace t2v {

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
