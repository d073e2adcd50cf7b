#pragma once

#include <optional>
#include <string>
#include <vector>

#include "files/checkpoints/loose_files.h"

namespace t2v {

/// Takes one of several files that could be the same part of a model.
class PartChooser {
 public:
  /// `origin` is what errors call the folder that holds them.
  explicit PartChooser(std::string origin) : origin_(std::move(origin)) {}

  /// The candidate that fits the transformer, or the only one; nothing if there is none. One that does not
  /// fit is passed over beside one that does, and an image encoder that does not fit always. Several that fit
  /// are kept for expect_decided(). `transformer` may be null: everything fits then. Error (kInput) as the
  /// candidate has it.
  std::optional<Component> choose(const std::string& kind, std::vector<LooseCandidate> candidates,
                                  const Component* transformer);

  /// Error (kInput) that names every part of which there were several, and their files.
  void expect_decided() const;

 private:
  std::string origin_;
  std::vector<std::string> conflicts_, flags_;
};

}  // namespace t2v
