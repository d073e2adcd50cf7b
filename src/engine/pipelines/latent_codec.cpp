#include "engine/pipelines/latent_codec.h"

#include "engine/pipelines/latent_preview.h"
#include "engine/pipelines/pixels.h"

namespace t2v {

const Vae& LatentCodec::load(bool with_encoder) {
  if (!vae_) vae_ = load_vae_(with_encoder);
  return *vae_;
}

Tensor LatentCodec::encode(const VideoSource& video) {
  const Vae& vae = load(/*with_encoder=*/true);
  const VideoSource on_device{video.num_frames, video.height, video.width, [&](int64_t first, int64_t count) {
                                progress_.stop_if_asked();
                                return video.frames(first, count).to(job_.placement.device);
                              }};
  return vae.encode(on_device, tiling());
}

void LatentCodec::decode(const Tensor& latents, const std::function<void(const Frames&)>& on_frames) {
  const Vae& vae = load();  // loading is reported before decoding
  const int64_t total = latents.size(2);
  int64_t done = 0;
  progress_.report(Event::Kind::kDecode, done, total);
  vae.decode(latents.to(job_.placement.device), tiling(), [&](const Tensor& pixels) {
    progress_.stop_if_asked();
    on_frames(to_frames(pixels));
    progress_.report(Event::Kind::kDecode, ++done, total);
  });
}

Frames LatentCodec::preview(const Tensor& latents) {
  return preview_frames(latents, [this](const Tensor& latent) {
    Tensor frame;
    load().decode(latent, tiling(), [&frame](const Tensor& pixels) { frame = pixels; });
    return frame;
  });
}

std::optional<VaeTiling> LatentCodec::tiling() const {
  if (!job_.request.machine.vae_tiling) return std::nullopt;
  return VaeTiling{.on_progress = [this](int64_t /*done*/, int64_t /*total*/) { progress_.stop_if_asked(); }};
}

}  // namespace t2v
