#pragma once

#include <array>
#include <cstdint>

#include "families/clip_shape.h"

namespace t2v {

/// Latents of a clip, and the tokens that the transformer makes of them.
struct LatentShape {
  int64_t channels, frames, height, width;
  int64_t tokens;
};

/// How latents lie over the frames and pixels of a clip.
struct LatentGeometry {
  int64_t channels;         ///< of a latent
  int64_t temporal_factor;  ///< frames of a latent frame; the first latent frame has one
  int64_t spatial_factor;   ///< pixels of a latent, in height and in width
  std::array<int64_t, 3> patch_size = {1, 1, 1};  ///< latents of a token: frames, height, width

  /// Height and width of a clip are multiples of this many pixels.
  int64_t size_multiple() const { return spatial_factor * patch_size[1]; }

  LatentShape latents(const ClipShape& clip) const {
    LatentShape shape{channels, (clip.num_frames - 1) / temporal_factor + 1, clip.height / spatial_factor,
                      clip.width / spatial_factor, 0};
    shape.tokens =
        shape.frames * shape.height * shape.width / (patch_size[0] * patch_size[1] * patch_size[2]);
    return shape;
  }
  /// The clip that these latents are decoded to.
  ClipShape clip(int64_t latent_frames, int64_t latent_height, int64_t latent_width) const {
    return {(latent_frames - 1) * temporal_factor + 1, latent_height * spatial_factor,
            latent_width * spatial_factor};
  }
};

}  // namespace t2v
