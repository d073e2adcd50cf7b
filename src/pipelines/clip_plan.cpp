#include "pipelines/clip_plan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autoencoders/vae_tiling.h"
#include "core/device.h"
#include "core/gpu_monitor.h"
#include "core/log.h"
#include "core/machine.h"
#include "guidance/classifier_free_guidance.h"
#include "pipelines/decode_memory.h"
#include "pipelines/memory_plan.h"
#include "transformers/transformer_wan.h"
#include "transformers/transformer_wan_vace.h"
#include "weights/dtypes.h"

namespace t2v {
namespace {

constexpr double kMiB = 1 << 20;
constexpr int64_t kPromptTokens = 512;

// Measured with the bundled model on the CPU, as differences of the resident set between phases:
// the code of LibTorch and oneDNN that a phase is the first to use.
constexpr double kTextCode = 18 * kMiB, kSamplingCode = 30 * kMiB, kDecodingCode = 36 * kMiB;
// What an encoder of video keeps: of x264 at its default quality, measured from 64x64 to 1280x720 and 5 to
// 200 frames. Each picture is framed by 32 pixels on every side.
constexpr double kEncoder = 5 * kMiB, kEncoderPerPixel = 10, kEncoderPerPixelAndFrame = 3.75;
constexpr int64_t kEncoderFrames = 47, kEncoderBorder = 64;
// Of a clip: H.264 at its default quality, and without loss.
constexpr double kBytesPerPixel = 0.15, kBytesPerPixelLossless = 1.6;
/// The plan may be wrong by so much before a clip is refused.
constexpr double kMargin = 1.25;

/// The memory that weights take on the host.
struct WeightMemory {
  double mapped = 0;     ///< bytes of files that are read
  double converted = 0;  ///< bytes that they become in another dtype
};

/// `prefix`: of the tensors that count.
WeightMemory weight_memory(const Component& component, const LoadOptions& options,
                           std::string_view prefix = "") {
  WeightMemory memory;
  for (const auto& [name, source] : component.tensors) {
    if (!name.starts_with(prefix)) continue;
    const StoredTensor& stored = source.stored;
    memory.mapped += static_cast<double>(stored.end - stored.begin);
    const at::ScalarType dtype = loaded_dtype(name, stored, options);
    double numbers = 1;
    for (const int64_t size : stored.shape) numbers *= static_cast<double>(size);
    if (number_format_of(dtype) != stored.format)
      memory.converted += numbers * static_cast<double>(at::elementSize(dtype));
  }
  return memory;
}

class Planner {
 public:
  Planner(const Checkpoint& checkpoint, const GenerateRequest& request, const PlannedMachine& machine)
      : checkpoint_(checkpoint),
        machine_(machine),
        placement_{parse_dtype(request.dtype), machine.device},
        transformer_(WanTransformer3DConfig::from_config(checkpoint.get("transformer").config)),
        vae_(AutoencoderKLWanConfig::from_config(checkpoint.get("vae").config)),
        text_encoder_(UMT5Config::from_config(checkpoint.get("text_encoder").config)),
        clip_{*request.num_frames, *request.height, *request.width} {
    plan_.request = request;
  }

  Plan make() {
    plan_.device = machine_.device.str();
    plan_.device_name = machine_.device_name;
    plan_.host_available = static_cast<int64_t>(machine_.host_available);
    plan_.gpu_total = static_cast<int64_t>(machine_.gpu_total);
    add_files();
    add_shapes();
    plan_.phases = {
        {.name = "start", .seconds = {}}, {.name = "load", .seconds = {}}, text(), sampling(), decoding()};
    add_seconds();
    return plan_;
  }

 private:
  bool on_gpu() const { return !placement_.device.is_cpu(); }
  const GenerateRequest& request() const { return plan_.request; }

  void add_files() {
    for (const auto& [name, component] : checkpoint_.components) {
      for (const auto& file : component.files) {
        plan_.files.push_back({name, file->path(), static_cast<int64_t>(file->content().size())});
      }
    }
  }

  void add_shapes() {
    const LatentShape shape = latent_shape(transformer_, vae_, clip_);
    plan_.latent_channels = shape.channels;
    plan_.latent_frames = shape.frames;
    plan_.latent_height = shape.height;
    plan_.latent_width = shape.width;
    plan_.tokens = shape.tokens;
    plan_.forwards = *request().num_inference_steps * (is_guided(*request().guidance_scale) ? 2 : 1);
    plan_.latents_bytes = 4 * shape.channels * shape.frames * shape.height * shape.width;
    const double pixels = static_cast<double>(clip_.num_frames * clip_.height * clip_.width);
    plan_.output_bytes =
        std::llround(pixels * (request().quality == "lossless" ? kBytesPerPixelLossless : kBytesPerPixel));
  }

  LoadOptions expert_options() const {
    return {.placement = placement_,
            .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32(),
            .loras = {},
            .fp8_matrices = request().dtype == "fp8"};
  }
  static LoadOptions float32_options() { return {.placement = {}, .keep_in_fp32 = {}}; }

  bool encodes_images() const {
    return !request().image.empty() || !request().control_video.empty() ||
           !request().reference_images.empty();
  }

  WeightMemory vae_memory() const {
    return weight_memory(checkpoint_.get("vae"), float32_options(), encodes_images() ? "" : "decoder.");
  }
  double vae_bytes() const {  // its convolutions are laid out anew
    return static_cast<double>(
        loaded_bytes(checkpoint_.get("vae"), float32_options(), encodes_images() ? "" : "decoder."));
  }

  /// A phase whose process has `anonymous` bytes beside those of mapped files, and what it began with.
  PlannedPhase phase(const std::string& name, double anonymous, double mapped) const {
    const double host = static_cast<double>(machine_.host_taken) + anonymous + mapped;
    return {.name = name,
            .tflop = 0,
            .host_bytes = std::llround(host),
            .mapped_bytes = std::llround(mapped),
            .gpu_bytes = 0,
            .seconds = {}};
  }

  PlannedPhase text() const {
    const Component& component = checkpoint_.get("text_encoder");
    LoadOptions options{.placement = placement_, .keep_in_fp32 = {}};
    if (placement_.dtype == at::kHalf) options.placement.dtype = at::kFloat;  // it is not encoded in float16
    const auto layers = static_cast<double>(text_encoder_.num_layers);
    const WeightMemory blocks = weight_memory(component, options, "encoder.block.");
    const double block = static_cast<double>(loaded_bytes(component, options, "encoder.block.")) / layers;
    const bool here =
        request().text_encoder_device.empty() ? on_gpu() : request().text_encoder_device != "cpu";
    PlannedPhase planned = phase("text", kTextCode + blocks.converted / layers, blocks.mapped);
    // A block at work, one on its way and the scores of the attention.
    const double scores = 4.0 * kPromptTokens * kPromptTokens * static_cast<double>(text_encoder_.num_heads);
    if (here) planned.gpu_bytes = std::llround(kCudaRuntime + 2 * block + 3 * scores);
    planned.tflop = prompts() * text_flops(text_encoder_, kPromptTokens) / 1e12;
    return planned;
  }

  double prompts() const { return is_guided(*request().guidance_scale) ? 2 : 1; }

  double text_mapped() const {
    return weight_memory(checkpoint_.get("text_encoder"), {}, "encoder.block.").mapped;
  }

  /// The experts that are used one after the other.
  std::vector<std::string> experts() const {
    return checkpoint_.has("transformer_2") ? std::vector<std::string>{"transformer", "transformer_2"}
                                            : std::vector<std::string>{"transformer"};
  }

  double experts_mapped() const {
    double mapped = 0;
    for (const std::string& expert : experts()) {
      mapped += weight_memory(checkpoint_.get(expert), expert_options()).mapped;
    }
    return mapped;
  }

  /// What a control branch adds to the main one's work.
  double branches() const {
    if (checkpoint_.pipeline != PipelineClass::kWanVACE) return 1;
    const auto vace = WanVACETransformer3DConfig::from_config(checkpoint_.get("transformer").config);
    return 1 + static_cast<double>(vace.vace_layers.size()) / static_cast<double>(transformer_.num_layers);
  }

  PlannedPhase sampling() {
    const Component& component = checkpoint_.get("transformer");
    const WeightMemory weights = weight_memory(component, expert_options());
    const double mapped = text_mapped() + vae_memory().mapped + experts_mapped();
    PlannedPhase planned;
    if (on_gpu()) {
      planned = sampling_on_gpu(component, mapped);
    } else {
      const AllocationCost cost = host_allocation();
      const auto activations = static_cast<double>(activation_bytes(transformer_, vae_, clip_, placement_));
      const double overhead = activations < kLargeActivations ? cost.overhead : 1;
      const bool from_disk = request().offload == "disk";
      const double converted =
          from_disk ? weights.converted / static_cast<double>(transformer_.num_layers) : weights.converted;
      planned = phase("sampling", kSamplingCode + vae_bytes() + converted + overhead * activations, mapped);
    }
    planned.tflop = static_cast<double>(plan_.forwards) * branches() *
                    forward_flops(transformer_, plan_.tokens).total() / 1e12;
    return planned;
  }

  PlannedPhase sampling_on_gpu(const Component& component, double mapped) {
    const uint64_t beside = bytes_beside(checkpoint_, "transformer", clip_, placement_);
    const TransformerMemory memory = TransformerMemory::of(component, expert_options(), beside);
    const BlockResidency residency = plan_blocks(memory, request().offload, request().max_vram);
    plan_.blocks = memory.count;
    plan_.resident_blocks = std::min(residency.resident, memory.count);
    const bool streamed = plan_.resident_blocks < plan_.blocks;
    const bool on_host = residency.waiting == BlockResidency::Waiting::kHost;
    if (streamed) plan_.waiting = on_host ? "cpu" : "disk";
    const auto waiting = static_cast<uint64_t>(plan_.blocks - plan_.resident_blocks) * memory.largest;
    PlannedPhase planned =
        phase("sampling", kSamplingCode + (streamed && on_host ? static_cast<double>(waiting) : 0), mapped);
    const uint64_t ahead = streamed ? (static_cast<uint64_t>(residency.ahead) + 1) * memory.largest : 0;
    planned.gpu_bytes = static_cast<int64_t>(memory.others + memory.blocks - waiting + ahead);
    return planned;
  }

  PlannedPhase decoding() const {
    const double mapped = text_mapped() + vae_memory().mapped + experts_mapped();
    const std::optional<int64_t> tile = request().vae_tiling ? std::optional(VaeTiling{}.tile) : std::nullopt;
    const double pixels = 3 * static_cast<double>(clip_.height * clip_.width);
    // Tiles are joined on the host, in float32.
    const double joined = tile ? 4 * pixels * static_cast<double>(clip_.num_frames) : 0;
    const double work = decode_bytes(vae_, clip_, on_gpu() ? gpu_allocation() : host_allocation(), tile);
    const double host = kDecodingCode + encoder_bytes() + joined;
    PlannedPhase planned = phase("decoding", host + (on_gpu() ? 0 : vae_bytes() + work), mapped);
    if (on_gpu()) planned.gpu_bytes = std::llround(kCudaRuntime + vae_bytes() + work);
    planned.tflop = decode_flops(vae_, clip_) / 1e12;
    return planned;
  }

  double encoder_bytes() const {
    const auto framed = static_cast<double>((clip_.height + kEncoderBorder) * (clip_.width + kEncoderBorder));
    const auto frames = static_cast<double>(std::min(clip_.num_frames, kEncoderFrames));
    return host_allocation().overhead *
           (kEncoder + framed * (kEncoderPerPixel + kEncoderPerPixelAndFrame * frames));
  }

  void add_seconds() {
    const Calibration calibration = Calibration::of(plan_.device_name);
    const std::vector<PhaseWork> work = work_of(checkpoint_, plan_);
    for (size_t i = 0; i < work.size(); ++i) plan_.phases[i].seconds = calibration.seconds(work[i]);
  }

  /// Below, the tensors of a forward pass are of the heap's sizes.
  static constexpr double kLargeActivations = 256 * kMiB;

  const Checkpoint& checkpoint_;
  const PlannedMachine& machine_;
  Placement placement_;
  WanTransformer3DConfig transformer_;
  AutoencoderKLWanConfig vae_;
  UMT5Config text_encoder_;
  ClipShape clip_;
  Plan plan_;
};

int64_t gpu_bytes(const Plan& plan) {
  int64_t most = 0;
  for (const PlannedPhase& phase : plan.phases) most = std::max(most, phase.gpu_bytes);
  return most;
}

std::string in_gib(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f GiB", bytes / (1024 * kMiB));
  return text;
}

/// The settings to try, the cheapest first: those that keep every number, tiles, which change pixels a
/// little, and numbers of half the size.
struct Setting {
  bool tiling, bfloat16;
};
constexpr Setting kSettings[] = {{false, false}, {true, false}, {false, true}, {true, true}};

Plan plan_within(const Checkpoint& checkpoint, const GenerateRequest& request,
                 const PlannedMachine& machine) {
  std::string reason;
  for (const auto& [tiling, bfloat16] : kSettings) {
    if ((tiling && request.vae_tiling) || (bfloat16 && request.dtype == "bfloat16")) continue;
    GenerateRequest changed = request;
    std::string flags;
    if (tiling) {
      changed.vae_tiling = true;
      flags += " --vae-tiling";
    }
    if (bfloat16) {
      changed.dtype = "bfloat16";
      flags += " --dtype bfloat16";
    }
    try {
      Plan plan = Planner(checkpoint, changed, machine).make();
      const double limit = *request.max_vram * 1024 * kMiB;
      if (static_cast<double>(gpu_bytes(plan)) <= limit) {
        plan.needed_flags = flags.empty() ? "" : flags.substr(1);
        return plan;
      }
      reason = in_gib(static_cast<double>(gpu_bytes(plan)));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kResource) throw;
      if (reason.empty()) reason = error.what();
    }
  }
  throw Error(ErrorCode::kResource, {.doing = "--max-vram",
                                     .got = "a clip that needs " + reason,
                                     .expected = "at most " + in_gib(*request.max_vram * 1024 * kMiB),
                                     .advice = "ask for fewer frames or a smaller picture"});
}

}  // namespace

PlannedMachine this_machine(at::Device device) {
  PlannedMachine machine{.device = device,
                         .device_name = device_name(device),
                         .gpu_total = 0,
                         .host_available = available_memory(),
                         .host_taken = resident_memory()};
  if (!device.is_cpu()) machine.gpu_total = GpuMonitor(device.index()).total_memory().value_or(0);
  return machine;
}

std::vector<PhaseWork> work_of(const Checkpoint& checkpoint, const Plan& plan) {
  const auto transformer = WanTransformer3DConfig::from_config(checkpoint.get("transformer").config);
  const auto vae = AutoencoderKLWanConfig::from_config(checkpoint.get("vae").config);
  const auto text_encoder = UMT5Config::from_config(checkpoint.get("text_encoder").config);
  double stored = 0;
  for (const PlannedFile& file : plan.files) stored += static_cast<double>(file.bytes);
  const auto pixels = static_cast<double>(*plan.request.height * *plan.request.width);
  std::vector<PhaseWork> work;
  for (const PlannedPhase& phase : plan.phases) {
    PhaseWork planned{
        .phase = phase.name, .dtype = "", .width = 1, .length = 1, .amount = phase.tflop * 1e12};
    const auto set = [&](const std::string& dtype, int64_t width, double length) {
      planned.dtype = dtype;
      planned.width = static_cast<double>(width);
      planned.length = length;
    };
    if (phase.name == "start") planned.amount = 1;
    if (phase.name == "load") planned.amount = stored;
    if (phase.name == "text") set(plan.request.dtype, text_encoder.d_model, kPromptTokens);
    if (phase.name == "sampling") {
      set(plan.request.dtype, transformer.dim(), static_cast<double>(plan.tokens));
    }
    if (phase.name == "decoding") set("float32", vae.decoder_base_dim, pixels);
    work.push_back(planned);
  }
  return work;
}

Plan plan_clip(const Checkpoint& checkpoint, const GenerateRequest& request, const PlannedMachine& machine) {
  const bool limited = request.max_vram && !machine.device.is_cpu();
  return limited ? plan_within(checkpoint, request, machine) : Planner(checkpoint, request, machine).make();
}

void expect_memory(const Plan& plan) {
  if (!plan.needed_flags.empty()) {
    log_warning("--max-vram: as asked the clip takes more; add " + plan.needed_flags);
  }
  for (const PlannedPhase& phase : plan.phases) {
    const auto refuse = [&](const std::string& where, double needed, double there) {
      throw Error(ErrorCode::kResource,
                  {.doing = "planning " + phase.name,
                   .got = "a clip that needs about " + in_gib(needed) + " of " + where,
                   .expected = "at most the " + in_gib(there) + " that are there",
                   .advice = "ask for fewer frames or a smaller picture; t2v plan shows more"});
    };
    const auto host = static_cast<double>(phase.host_bytes - phase.mapped_bytes);
    const auto available = static_cast<double>(plan.host_available),
               gpu = static_cast<double>(plan.gpu_total);
    if (available > 0 && host > kMargin * available) refuse("memory", host, available);
    if (gpu > 0 && static_cast<double>(phase.gpu_bytes) > kMargin * gpu)
      refuse("the GPU's memory", static_cast<double>(phase.gpu_bytes), gpu);
  }
}

}  // namespace t2v
