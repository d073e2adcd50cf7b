#pragma once

#include "families/part_kind.h"

namespace t2v {

// Tables from the names that publishers give the tensors of Wan models to the names of diffusers. "Original"
// is the code of https://github.com/Wan-Video.

RenameTable original_transformer_names();
/// Lacks the entries of original_vae_levels().
RenameTable original_vae_names();
RenameTable original_text_encoder_names();
RenameTable llama_text_encoder_names();
RenameTable transformers_text_encoder_names();
RenameTable original_image_encoder_names();
RenameTable open_clip_names();

/// Entries of the original VAE's table that depend on its levels: decoder.upsamples.N counts blocks and
/// upsamplers together, diffusers counts them apart.
RenameTable original_vae_levels(const HasTensor& has);

}  // namespace t2v
