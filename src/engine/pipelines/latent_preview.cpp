#include "engine/pipelines/latent_preview.h"

#include <algorithm>
#include <set>
#include <vector>

#include "engine/pipelines/pixels.h"

namespace t2v {
namespace {

constexpr int64_t kNeighbours = 3;  // in height and width
/// Factor of the squared weights beside the mean squared error.
constexpr double kRidge = 0.3;

/// [n, channels, h, w] with its edges repeated once on each side.
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

/// The weights [columns of y, columns of x] that map x to y. Weights of the last column, a constant, are not
/// penalised.
Tensor fit(const Tensor& x, const Tensor& y) {
  Tensor ridge = at::eye(x.size(1), at::kDouble) * (kRidge * static_cast<double>(x.size(0)));
  ridge.select(0, -1).zero_();
  return at::linalg_solve(x.t().mm(x) + ridge, x.t().mm(y)).t();
}

}  // namespace

Frames preview_frames(const Tensor& latents, const FrameDecoder& decode_frame) {
  check_finite(latents, "sampling");
  int64_t side = 0;  // height and width of a latent in pixels of the preview
  std::vector<Tensor> x, y;
  for (const int64_t i : std::set<int64_t>{0, latents.size(2) / 2}) {  // one latent frame is both
    const Tensor latent = latents.narrow(2, i, 1), pixels = decode_frame(latent).select(2, 0);
    const int64_t factor = pixels.size(3) / latents.size(4);
    side = std::max<int64_t>(factor / 2, 1);
    const Tensor halved = at::avg_pool2d(pixels, {factor / side, factor / side});
    x.push_back(neighbourhoods(latent.select(2, 0)));
    y.push_back(rows_of(at::pixel_unshuffle(halved, side)));
  }
  const Tensor map = fit(at::cat(x), at::cat(y)).to(latents);
  const Tensor weights = map.slice(1, 0, -1).reshape({-1, latents.size(1), kNeighbours, kNeighbours});
  const Tensor frames =
      at::conv2d(with_edges(latents[0].transpose(0, 1)), weights, map.select(1, -1).contiguous());
  return to_frames(at::pixel_shuffle(frames, side).transpose(0, 1).unsqueeze(0));
}

}  // namespace t2v
