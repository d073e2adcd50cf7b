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

/// Random values as large as the values of trained models; or none, for a model that is only planned.
enum class SyntheticValues { kRandom, kNone };

/// A model with the tensors of its class for `config`, stored as bfloat16 in memory. All numbered blocks
/// share the bytes of one block; loaded, each is a tensor of its own. `component`: "transformer",
/// "text_encoder" or "vae" (the decoder alone). Error (kInput) for a configuration that is out of range.
Component synthetic_model(std::string_view component, const nlohmann::json& config,
                          SyntheticValues values = SyntheticValues::kRandom, uint64_t seed = 0);

/// Bytes of a synthetic model with every block in the file.
uint64_t synthetic_bytes(std::string_view component, const nlohmann::json& config);

/// A synthetic model in a file on the disk, with every block in the file. The file vanishes with this object,
/// also when the process is killed.
class SyntheticFile {
 public:
  /// Writes into `folder`. Calls `stop_if_asked` again and again, which may throw. Error (kOutput).
  SyntheticFile(std::string_view component, const nlohmann::json& config, const std::filesystem::path& folder,
                const std::function<void()>& stop_if_asked);

  const Component& model() const { return model_; }

 private:
  StagedFile staged_;
  Component model_;
};

}  // namespace t2v
