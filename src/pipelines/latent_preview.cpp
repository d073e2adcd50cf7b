#include "pipelines/latent_preview.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "pipelines/pixels.h"

namespace t2v {
namespace {

constexpr int64_t kPictures = 48, kCells = 8;  // of a picture, in height and width
constexpr int64_t kNeighbours = 3;             // in height and width
/// How much the squares of the weights count beside the mean squared error.
constexpr double kRidge = 0.01;

/// Noise of every scale, the coarser the stronger, around a colour: [count, 3, side, side] in [-1, 1].
Tensor coloured_noise(int64_t count, int64_t side) {
  const at::Generator generator = seeded_generator(0);
  Tensor noise = at::zeros({count, 3, side, side});
  for (int64_t coarse = 2; coarse < side; coarse *= 2) {
    const Tensor drawn = at::randn({count, 3, coarse, coarse}, generator);
    noise += at::upsample_bilinear2d(drawn, {side, side}, /*align_corners=*/false) * std::pow(coarse, -0.4);
  }
  const Tensor strength = at::rand({count, 1, 1, 1}, generator);
  const Tensor colour = 1.2 * (2 * at::rand({count, 3, 1, 1}, generator) - 1);
  return (colour + strength * noise / noise.std()).clamp(-1, 1);
}

/// [n, channels, h, w] with what is at the edge once more around it.
Tensor with_edges(const Tensor& latents) { return at::replication_pad2d(latents, {1, 1, 1, 1}); }

/// [1, channels, h, w] -> float64 [h * w, channels] on the CPU.
Tensor rows_of(const Tensor& values) { return values[0].flatten(1).t().to(at::kCPU, at::kDouble); }

/// Latents [1, z_dim, h, w] -> [h * w, z_dim * 9 + 1]: each with its neighbours, and a constant.
Tensor neighbourhoods(const Tensor& latents) {
  const Tensor columns = at::im2col(with_edges(latents), {kNeighbours, kNeighbours}, /*dilation=*/{1, 1},
                                    /*padding=*/{0, 0}, /*stride=*/{1, 1});
  const Tensor rows = columns[0].t().to(at::kCPU, at::kDouble);
  return at::cat({rows, rows.new_ones({rows.size(0), 1})}, 1);
}

}  // namespace

LatentPreview::LatentPreview(const AutoencoderKLWan& vae, at::Device device)
    : side_(std::max<int64_t>(vae.config().scale_factor_spatial / 2, 1)) {
  const int64_t factor = vae.config().scale_factor_spatial, shrunk = factor / side_;
  std::vector<Tensor> given, wanted;
  for (const Tensor& picture : coloured_noise(kPictures, kCells * factor).to(device).split(1)) {
    const Tensor encoded = vae.encode(picture.unsqueeze(2));
    given.push_back(neighbourhoods(vae.normalize(encoded).select(2, 0)));
    vae.decode(encoded, [&](const Tensor& pixels) {
      const Tensor small = at::avg_pool2d(pixels.select(2, 0), {shrunk, shrunk});
      wanted.push_back(rows_of(at::pixel_unshuffle(small, side_)));
    });
  }
  const Tensor x = at::cat(given), y = at::cat(wanted);
  Tensor ridge = at::eye(x.size(1), at::kDouble) * (kRidge * static_cast<double>(x.size(0)));
  ridge.select(0, -1).zero_();  // the constant is free
  const Tensor solved = at::linalg_solve(x.t().mm(x) + ridge, x.t().mm(y)).t().to(device, at::kFloat);
  weights_ = solved.narrow(1, 0, solved.size(1) - 1)
                 .reshape({-1, vae.config().z_dim, kNeighbours, kNeighbours})
                 .contiguous();
  bias_ = solved.select(1, -1).contiguous();
}

Frames LatentPreview::operator()(const Tensor& latents) const {
  check_finite(latents, "sampling");
  const Tensor frames = latents[0].transpose(0, 1);
  const Tensor pixels = at::pixel_shuffle(at::conv2d(with_edges(frames), weights_, bias_), side_);
  return to_frames(pixels.transpose(0, 1).unsqueeze(0));
}

}  // namespace t2v
