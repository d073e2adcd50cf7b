#include "tensors/cost.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/_fused_rms_norm_compositeimplicitautograd_dispatch.h>
#include <torch/library.h>

namespace t2v {
namespace {

/// From this size on glibc maps each tensor and returns it when it is freed, in a process that t2v may tune.
constexpr uint64_t kMapped = 16 << 20;
/// Growth of the resident set by growth of the allocated bytes, measured with the bundled model: plans from
/// 96x96 to 640x640 are within 3 % of the run, but for 512x512 with 5 frames (8 % too much).
constexpr double kHeapOverhead = 1.7, kLeastHeapOverhead = 1.3;

using OptionalTensor = std::optional<Tensor>;

/// A running count.
struct Ledger {
  Allocation allocation;
  Cost cost = {};

  double bytes_for(size_t size) const {
    const auto bytes = static_cast<double>(size);
    if (size >= allocation.small) return bytes;
    const double share = bytes / static_cast<double>(allocation.small);
    return bytes * (allocation.overhead - share * (allocation.overhead - allocation.least_overhead));
  }
};
thread_local std::shared_ptr<Ledger> ledger;  ///< the running count of this thread

/// Allocates nothing, like LibTorch's own allocator for the meta device. Writes the sizes into the ledger.
class LedgerAllocator final : public at::Allocator {
 public:
  at::DataPtr allocate(size_t size) override {
    Entry* entry = nullptr;
    if (ledger) {
      entry = new Entry{ledger, ledger->bytes_for(size)};
      Cost& cost = ledger->cost;
      cost.kept_bytes += entry->bytes;
      cost.peak_bytes = std::max(cost.peak_bytes, cost.kept_bytes);
    }
    return {nullptr, entry, &release, at::Device(at::kMeta)};
  }
  void copy_data(void* /*destination*/, const void* /*source*/, size_t /*count*/) const override {}

 private:
  struct Entry {
    std::shared_ptr<Ledger> ledger;
    double bytes;
  };
  static void release(void* context) {
    const std::unique_ptr<Entry> entry(static_cast<Entry*>(context));
    if (entry) entry->ledger->cost.kept_bytes -= entry->bytes;
  }
};

// Each function allocates the tensors that LibTorch's kernel for the CPU or for CUDA allocates.

Tensor linear(const Tensor& x, const Tensor& weight, const OptionalTensor& /*bias*/) {
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  count_flops(2.0 * static_cast<double>(x.numel()) * static_cast<double>(weight.size(0)));
  return at::empty(shape, x.options());
}

Tensor convolve(const Tensor& x, const Tensor& weight, const OptionalTensor& /*bias*/, at::IntArrayRef stride,
                at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
                at::IntArrayRef /*output_padding*/, int64_t groups) {
  const bool is_dilated = std::any_of(dilation.begin(), dilation.end(), [](int64_t d) { return d != 1; });
  TORCH_CHECK(!transposed && !is_dilated && groups == 1, "no cost is known of such a convolution");
  std::vector<int64_t> shape = {x.size(0), weight.size(0)};
  for (int64_t i = 2; i < x.dim(); ++i)
    shape.push_back((x.size(i) + 2 * padding[i - 2] - weight.size(i)) / stride[i - 2] + 1);
  Tensor output = at::empty(shape, x.options().memory_format(x.suggest_memory_format()));
  count_flops(2.0 * static_cast<double>(output.numel()) * static_cast<double>(weight[0].numel()));
  return output;
}

/// Work memory of flash attention on the CPU: for each thread the logits, sums and output of a tile.
Tensor attention_tiles(const Tensor& query, const Tensor& key) {
  const int64_t rows = query.size(2), tile = rows >= 768 ? 256 : rows >= 192 ? 64 : 32;
  const int64_t height = std::min(rows, tile), width = std::min<int64_t>(key.size(2), 512);
  return at::empty({at::get_num_threads(), height * (width + 2 + query.size(3))},
                   query.options().dtype(at::kFloat));
}

Tensor attention(const Tensor& query, const Tensor& key, const Tensor& value, const OptionalTensor& /*mask*/,
                 double /*dropout*/, bool /*is_causal*/, std::optional<double> /*scale*/,
                 bool /*enable_gqa*/) {
  TORCH_CHECK(query.size(3) == value.size(3), "no cost is known of attention with values of another width");
  const double flops = 4.0 * static_cast<double>(query.numel()) * static_cast<double>(key.size(2));
  count_flops(flops);
  if (ledger) ledger->cost.attention += flops;
  const auto size = query.sizes();
  const Tensor output = at::empty({size[0], size[2], size[1], size[3]}, query.options());
  const Tensor sums = at::empty({size[0], size[2], size[1]}, query.options().dtype(at::kFloat));
  const Tensor tiles = counts_for_cpu() ? attention_tiles(query, key) : Tensor();
  return output.transpose(1, 2);
}

std::tuple<Tensor, Tensor, Tensor> layer_norm(const Tensor& x, at::IntArrayRef shape,
                                              const OptionalTensor& /*weight*/,
                                              const OptionalTensor& /*bias*/, double /*eps*/) {
  const Tensor mean = at::empty({x.numel() / c10::multiply_integers(shape)}, x.options());
  return {at::empty_like(x), mean, at::empty_like(mean)};
}

std::tuple<Tensor, Tensor> rms_norm(const Tensor& x, at::IntArrayRef shape, const OptionalTensor& weight,
                                    std::optional<double> eps) {
  if (counts_for_cpu()) return at::compositeimplicitautograd::_fused_rms_norm(x, shape, weight, eps);
  const int64_t rows = x.numel() / c10::multiply_integers(shape);
  return {at::empty_like(x), at::empty({rows}, x.options().dtype(at::kFloat))};
}

Tensor embedding(const Tensor& table, const Tensor& rows, int64_t /*padding_index*/, bool /*scale*/,
                 bool /*sparse*/) {
  std::vector<int64_t> shape = rows.sizes().vec();
  shape.push_back(table.size(1));
  return at::empty(shape, table.options());
}

Tensor make_complex(const Tensor& real, const Tensor& /*imaginary*/) {
  return at::empty(real.sizes(), real.options().dtype(at::kComplexFloat));
}

}  // namespace

Allocation host_allocation() {
  return {.small = kMapped, .overhead = kHeapOverhead, .least_overhead = kLeastHeapOverhead};
}

Allocation gpu_allocation() { return {.on_cpu = false}; }

Cost cost_of(const Allocation& allocation, const std::function<void()>& work) {
  static LedgerAllocator allocator;
  static const bool registered = (c10::SetAllocator(at::kMeta, &allocator, /*priority=*/1), true);
  static_cast<void>(registered);
  struct Count {
    explicit Count(const Allocation& allocation)
        : outer(std::exchange(ledger, std::make_shared<Ledger>(allocation))) {}
    ~Count() { ledger = outer; }
    std::shared_ptr<Ledger> outer;
  };
  const c10::InferenceMode inference_mode;
  const Count count(allocation);
  work();
  return ledger->cost;
}

void count_flops(double flops) {
  if (ledger) ledger->cost.flops += flops;
}

bool counts_for_cpu() { return ledger == nullptr || ledger->allocation.on_cpu; }

// LibTorch has no C++ kernels of these operations for the meta device.
TORCH_LIBRARY_IMPL(aten, Meta, library) {
  library.impl("linear", linear);
  library.impl("convolution_overrideable", convolve);
  library.impl("scaled_dot_product_attention", attention);
  library.impl("native_layer_norm", layer_norm);
  library.impl("_fused_rms_norm", rms_norm);
  library.impl("embedding", embedding);
  library.impl("complex", make_complex);
}

}  // namespace t2v
