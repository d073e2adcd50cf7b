#pragma once

#include <compare>
#include <filesystem>

namespace t2v {

/// A LoRA file to merge into a transformer.
struct LoraChoice {
  std::filesystem::path
      file;             ///< safetensors, in the naming of diffusers, ComfyUI, the original code or kohya
  double strength = 1;  ///< factor of its change

  auto operator<=>(const LoraChoice&) const = default;
};

}  // namespace t2v
