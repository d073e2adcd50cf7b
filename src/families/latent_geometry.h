#pragma once

#include <algorithm>
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
  int64_t channels;                               ///< of a latent
  int64_t temporal_factor;                        ///< frames of a latent frame, the first one aside
  int64_t spatial_factor;                         ///< pixels of a latent, in height and in width
  std::array<int64_t, 3> patch_size = {1, 1, 1};  ///< latents of a token: frames, height, width
  int64_t first_frames = 1;                       ///< frames of the first latent frame

  /// Height and width of a clip are multiples of this many pixels.
  int64_t size_multiple() const { return spatial_factor * patch_size[1]; }

  /// Whether there are latents of a clip of so many frames.
  bool allows(int64_t num_frames) const {
    return num_frames >= first_frames && (num_frames - first_frames) % temporal_factor == 0;
  }
  /// Frames of the longest clip that has at most `most`, or of the shortest clip that there is.
  int64_t frames_within(int64_t most) const {
    return (std::max(most, first_frames) - first_frames) / temporal_factor * temporal_factor + first_frames;
  }

  LatentShape latents(const ClipShape& clip) const {
    LatentShape shape{channels, (clip.num_frames - first_frames) / temporal_factor + 1,
                      clip.height / spatial_factor, clip.width / spatial_factor, 0};
    shape.tokens =
        shape.frames * shape.height * shape.width / (patch_size[0] * patch_size[1] * patch_size[2]);
    return shape;
  }
  /// The clip that these latents are decoded to.
  ClipShape clip(int64_t latent_frames, int64_t latent_height, int64_t latent_width) const {
    return {(latent_frames - 1) * temporal_factor + first_frames, latent_height * spatial_factor,
            latent_width * spatial_factor};
  }
};

}  // namespace t2v
