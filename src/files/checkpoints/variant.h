#pragma once

#include <string>

#include "files/checkpoints/checkpoint.h"

namespace t2v {

/// Which published model a checkpoint is.
struct Variant {
  std::string family;  ///< "Wan2.1", "Wan2.2"; "Wan2.1 and Wan2.2" of parts that both have
  std::string name;  ///< "T2V-1.3B"; of another size "T2V of width 96 with 6 blocks"; "" without transformer
  std::string
      repository;  ///< where the whole model is: "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"; "" for another size
};

/// Told by the configurations of the parts that are there; by the names of files only whether a transformer
/// that is alone is one of two experts.
Variant variant_of(const Checkpoint& checkpoint);

}  // namespace t2v
