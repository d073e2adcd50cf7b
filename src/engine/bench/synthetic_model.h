#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "core/staged_file.h"
#include "files/checkpoints/component.h"

namespace t2v {

/// Random ones of the size that trained ones have; or none, of a model that is only looked at.
enum class SyntheticValues { kRandom, kNone };

/// A model with the tensors that its class has for `config`, stored as bfloat16 in memory. Its numbered
/// blocks are one and the same in the file, and as many as the configuration says once they are loaded.
/// `component`: "transformer", "text_encoder", or "vae", of which only the decoder is there. Error (kInput)
/// for a configuration that is out of range.
Component synthetic_model(std::string_view component, const nlohmann::json& config,
                          SyntheticValues values = SyntheticValues::kRandom, uint64_t seed = 0);

/// The bytes of such a model with every block in the file.
uint64_t synthetic_bytes(std::string_view component, const nlohmann::json& config);

/// Such a model in a file on the disk, with every block in it. The file is gone with this, also if the
/// process is killed.
class SyntheticFile {
 public:
  /// Written in `folder`. `stop_if_asked` is called all the while, to throw. Error (kOutput).
  SyntheticFile(std::string_view component, const nlohmann::json& config, const std::filesystem::path& folder,
                const std::function<void()>& stop_if_asked);

  const Component& model() const { return model_; }

 private:
  StagedFile staged_;
  Component model_;
};

}  // namespace t2v
