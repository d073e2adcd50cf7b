#include "pipelines/latent_preview.h"

#include <algorithm>

#include "pipelines/pixels.h"

namespace t2v {
namespace {

constexpr int64_t kLongestFittedSide = 512;  // pixels
/// How much the squares of the weights count beside the mean squared error of normalised latents: frames that
/// were not fitted get no wild colours.
constexpr double kRidge = 0.01;

/// Of the middle of the frame in the middle, which no condition replaces: [1, z_dim, 1, h, w].
Tensor fitted_part(const Tensor& latents, int64_t longest_side) {
  Tensor part = latents.narrow(2, latents.size(2) / 2, 1);
  for (const int64_t side : {3, 4}) {
    const int64_t length = std::min(latents.size(side), longest_side);
    part = part.narrow(side, (latents.size(side) - length) / 2, length);
  }
  return part;
}

/// [1, channels, t, h, w] -> float64 [t * h * w, channels] on the CPU.
Tensor rows_of(const Tensor& values) { return values[0].flatten(1).t().to(at::kCPU, at::kDouble); }

Tensor with_ones(const Tensor& rows) { return at::cat({rows, rows.new_ones({rows.size(0), 1})}, 1); }

/// [z_dim + 1, 3]: what the numbers of a latent, and a constant, weigh for each colour.
Tensor fit_colours(const AutoencoderKLWan& vae, const Tensor& latents) {
  const int64_t factor = vae.config().scale_factor_spatial;
  const Tensor part = fitted_part(latents, std::max<int64_t>(kLongestFittedSide / factor, 1));
  Tensor pixels;
  vae.decode(vae.denormalize(part), [&pixels](const Tensor& chunk) { pixels = chunk; });
  const Tensor colours = at::avg_pool2d(pixels.select(2, 0), {factor, factor}).unsqueeze(2);
  const Tensor rows = with_ones(rows_of(part));
  Tensor ridge = at::eye(rows.size(1), at::kDouble) * (kRidge * static_cast<double>(rows.size(0)));
  ridge.select(0, -1).zero_();
  return at::linalg_solve(rows.t().mm(rows) + ridge, rows.t().mm(rows_of(colours)));
}

}  // namespace

Frames preview_frames(const AutoencoderKLWan& vae, const Tensor& latents) {
  check_finite(latents, "sampling");
  const int64_t frames = latents.size(2), height = latents.size(3), width = latents.size(4);
  const Tensor colours = with_ones(rows_of(latents)).mm(fit_colours(vae, latents)).t().to(at::kFloat);
  const int64_t enlarged = std::max<int64_t>(vae.config().scale_factor_spatial / 2, 1);
  const Tensor pictures = colours.view({3, frames, height, width}).transpose(0, 1);
  const Tensor pixels = at::upsample_bilinear2d(pictures, {height * enlarged, width * enlarged},
                                                /*align_corners=*/false);
  return to_frames(pixels.transpose(0, 1).unsqueeze(0));
}

}  // namespace t2v
