#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "families/rename.h"

namespace t2v {

/// One way in which publishers name the tensors of a component.
struct Naming {
  std::string_view component;  ///< "transformer", "vae", ...
  std::string_view name;       ///< "diffusers", "original", ...: what inspect calls it
  std::string_view marker;     ///< a tensor that a component so named always has, and nothing else
  RenameTable table;           ///< to the names of diffusers; a name that it does not know stays as it is
};

/// All of them; to that of the original VAE belongs vae_levels().
const std::vector<Naming>& namings();

/// The part of the original VAE's table that depends on its levels: decoder.upsamples.N counts blocks and
/// upsamplers alike, diffusers counts them apart. `has` tells whether a tensor of that name is there.
RenameTable vae_levels(const std::function<bool(const std::string&)>& has);

RenameTable original_transformer_names();
RenameTable original_vae_names();
RenameTable original_text_encoder_names();
RenameTable llama_text_encoder_names();
RenameTable transformers_text_encoder_names();
RenameTable original_image_encoder_names();
RenameTable open_clip_names();

}  // namespace t2v
