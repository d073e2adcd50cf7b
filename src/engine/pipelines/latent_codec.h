#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "engine/pipelines/render_job.h"
#include "engine/pipelines/run_progress.h"
#include "media/images/frames.h"
#include "networks/autoencoders/vae_tiling.h"
#include "networks/autoencoders/video_source.h"
#include "tensors/tensor.h"

namespace t2v {

/// A loaded VAE. Latents are as the transformer makes them: [1, channels, frames, height, width].
class Vae {
 public:
  virtual ~Vae() = default;

  /// Calls on_chunk with pixels [1, 3, frames, height, width] in [-1, 1] as they are decoded, once for each
  /// frame of the latents. Error (kInput).
  virtual void decode(const Tensor& latents, const std::optional<VaeTiling>& tiling,
                      const std::function<void(const Tensor& pixels)>& on_chunk) const = 0;
  /// The latents of a video. Error (kInput); (kBug) for a VAE that was loaded without its encoder.
  virtual Tensor encode(const VideoSource& video, const std::optional<VaeTiling>& tiling) const = 0;
};

/// Turns latents into frames and video into latents, on the job's device and in tiles if the request asks for
/// them.
class LatentCodec {
 public:
  /// Loads the VAE of the family; rendering from text needs no encoder.
  using LoadVae = std::function<std::shared_ptr<const Vae>(bool with_encoder)>;

  /// Job and progress have to outlive this.
  LatentCodec(const RenderJob& job, const RunProgress& progress, LoadVae load_vae)
      : job_(job), progress_(progress), load_vae_(std::move(load_vae)) {}

  /// Loads the VAE, unless it is loaded already. An encoder has to be asked for by the first call.
  const Vae& load(bool with_encoder = false);

  /// The latents of a video, in float32. Loads the VAE with its encoder. Error (kInput); Stopped.
  Tensor encode(const VideoSource& video);
  /// Hands out the frames of latents in order; memory does not grow with their number. Error (kInput,
  /// kNumbers); Stopped.
  void decode(const Tensor& latents, const std::function<void(const Frames&)>& on_frames);
  /// As preview_frames().
  Frames preview(const Tensor& latents);

 private:
  std::optional<VaeTiling> tiling() const;

  const RenderJob& job_;
  const RunProgress& progress_;
  LoadVae load_vae_;
  std::shared_ptr<const Vae> vae_;
};

}  // namespace t2v
