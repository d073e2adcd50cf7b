#include "engine/planning/clip_plan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/gpu_monitor.h"
#include "core/machine.h"
#include "engine/pipelines/prompt_tokens.h"
#include "engine/planning/memory_plan.h"
#include "engine/planning/vae_memory.h"
#include "networks/transformers/transformer_wan.h"
#include "networks/transformers/transformer_wan_vace.h"
#include "sampling/guidance/classifier_free_guidance.h"
#include "tensors/device.h"
#include "tensors/weights/dtypes.h"

namespace t2v {
namespace {

constexpr double kMiB = 1 << 20;

// Measured with the bundled model on the CPU, as differences of the resident set between phases:
// the code of LibTorch and oneDNN that a phase is the first to use.
constexpr double kTextCode = 18 * kMiB, kSamplingCode = 34 * kMiB, kDecodingCode = 42 * kMiB;
// Of that its own, the rest being what phases before it have left.
constexpr double kDecodingAloneCode = 14 * kMiB;
// What an encoder of video keeps: of x264 at its default quality, measured from 64x64 to 1280x720 and 5 to
// 200 frames. Each picture is framed by 32 pixels on every side.
constexpr double kEncoder = 5 * kMiB, kEncoderPerPixel = 10, kEncoderPerPixelAndFrame = 3.75;
constexpr int64_t kEncoderFrames = 47, kEncoderBorder = 64;
// Of a clip: H.264 at its default quality, and without loss.
constexpr double kBytesPerPixel = 0.15, kBytesPerPixelLossless = 1.6;
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
  Planner(const Checkpoint& checkpoint, const CheckedRequest& request, const PlannedMachine& machine)
      : checkpoint_(checkpoint),
        request_(request),
        machine_(machine),
        placement_{parse_dtype(request.machine.dtype), machine.device},
        vae_(AutoencoderKLWanConfig::from_config(checkpoint.get("vae").config)),
        clip_{request.size.num_frames, request.size.height, request.size.width} {
    plan_.size = request.size;
    plan_.sampling = request.sampling;
    plan_.machine = request.machine;
    plan_.device = machine.device.str();
    plan_.device_name = machine.device_name;
    plan_.host_available = static_cast<int64_t>(machine.host_available);
    plan_.gpu_total = static_cast<int64_t>(machine.gpu_total);
    const double pixels = static_cast<double>(clip_.num_frames * clip_.height * clip_.width);
    plan_.output_bytes = std::llround(
        pixels * (request.encoding.quality == "lossless" ? kBytesPerPixelLossless : kBytesPerPixel));
    plan_.phases = {{.name = "start", .seconds = {}}, {.name = "load", .seconds = {}}};
  }

  Plan make() {
    transformer_ = WanTransformer3DConfig::from_config(checkpoint_.get("transformer").config);
    for (const auto& [name, component] : checkpoint_.components) add_files(name);
    const LatentShape shape = latent_shape(transformer_, vae_, sampled_shape(request(), vae_));
    add_latents(shape);
    plan_.tokens = shape.tokens;
    plan_.forwards =
        request().sampling.num_inference_steps * (is_guided(request().sampling.guidance_scale) ? 2 : 1);
    plan_.phases.push_back(text());
    if (encodes_images(checkpoint_, request())) plan_.phases.push_back(images());
    plan_.phases.push_back(sampling());
    plan_.phases.push_back(decoding(kDecodingCode, all_mapped()));
    add_seconds();
    return plan_;
  }

  Plan make_decoding() {
    add_files("vae");
    const auto references = static_cast<int64_t>(request().conditions.reference_images.size());
    add_latents({.channels = vae_.z_dim,
                 .frames = references + (clip_.num_frames - 1) / vae_.scale_factor_temporal + 1,
                 .height = clip_.height / vae_.scale_factor_spatial,
                 .width = clip_.width / vae_.scale_factor_spatial,
                 .tokens = 0});
    plan_.latents_bytes = 0;  // they are there
    plan_.sampling.reset();
    plan_.machine.dtype = dtype_name(at::kFloat);
    plan_.phases.push_back(decoding(kDecodingAloneCode, vae_memory().mapped));
    add_seconds();
    return plan_;
  }

 private:
  bool on_gpu() const { return !placement_.device.is_cpu(); }
  const CheckedRequest& request() const { return request_; }

  void add_files(const std::string& component) {
    for (const auto& file : checkpoint_.get(component).files) {
      plan_.files.push_back({component, file->path(), static_cast<int64_t>(file->content().size())});
    }
  }

  void add_latents(const LatentShape& shape) {
    plan_.latent_channels = shape.channels;
    plan_.latent_frames = shape.frames;
    plan_.latent_height = shape.height;
    plan_.latent_width = shape.width;
    plan_.latents_bytes = 4 * shape.channels * shape.frames * shape.height * shape.width;
  }

  LoadOptions expert_options() const {
    return {.placement = placement_,
            .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32(),
            .loras = {},
            .fp8_matrices = request().machine.dtype == "fp8"};
  }
  static LoadOptions float32_options() { return {.placement = {}, .keep_in_fp32 = {}}; }

  WeightMemory vae_memory() const {
    return weight_memory(checkpoint_.get("vae"), float32_options(), vae_prefix(checkpoint_, request()));
  }
  double vae_bytes() const {  // its convolutions are laid out anew
    return static_cast<double>(
        loaded_bytes(checkpoint_.get("vae"), float32_options(), vae_prefix(checkpoint_, request())));
  }

  /// A phase whose process has `anonymous` bytes beside those of mapped files, and what it began with.
  PlannedPhase phase(const std::string& name, double anonymous, double mapped) const {
    const double host =
        static_cast<double>(machine_.host_taken) + anonymous + static_cast<double>(control_frames()) + mapped;
    return {.name = name,
            .tflop = 0,
            .host_bytes = std::llround(host),
            .mapped_bytes = std::llround(mapped),
            .gpu_bytes = 0,
            .seconds = {}};
  }

  /// The control video and its mask, as they are in the files.
  int64_t control_frames() const {
    const int64_t clips = (request().conditions.control_video.empty() ? 0 : 1) +
                          (request().conditions.control_mask.empty() ? 0 : 1);
    return clips * 3 * clip_.num_frames * clip_.height * clip_.width;
  }

  PlannedPhase text() const {
    const Component& component = checkpoint_.get("text_encoder");
    const UMT5Config config = UMT5Config::from_config(component.config);
    LoadOptions options{.placement = placement_, .keep_in_fp32 = {}};
    if (placement_.dtype == at::kHalf) options.placement.dtype = at::kFloat;  // it is not encoded in float16
    const auto layers = static_cast<double>(config.num_layers);
    const WeightMemory blocks = weight_memory(component, options, "encoder.block.");
    const double block = static_cast<double>(loaded_bytes(component, options, "encoder.block.")) / layers;
    const bool here = request().machine.text_encoder_device.empty()
                          ? on_gpu()
                          : request().machine.text_encoder_device != "cpu";
    PlannedPhase planned = phase("text", kTextCode + blocks.converted / layers, blocks.mapped);
    // A block at work, one on its way and the scores of the attention.
    const double scores =
        4.0 * kMaxSequenceLength * kMaxSequenceLength * static_cast<double>(config.num_heads);
    if (here) planned.gpu_bytes = std::llround(kCudaRuntime + 2 * block + 3 * scores);
    planned.tflop = prompts() * text_flops(config, kMaxSequenceLength) / 1e12;
    return planned;
  }

  double prompts() const { return is_guided(request().sampling.guidance_scale) ? 2 : 1; }

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

  double images_mapped() const {
    return uses_image_encoder() ? weight_memory(checkpoint_.get("image_encoder"), float32_options()).mapped
                                : 0;
  }

  double all_mapped() const {
    return text_mapped() + images_mapped() + vae_memory().mapped + experts_mapped();
  }

  bool uses_image_encoder() const {
    return transformer_.image_dim && !request().conditions.image.empty() && checkpoint_.has("image_encoder");
  }

  /// The clips and images that the VAE encodes one after the other.
  std::vector<ClipShape> encoded() const {
    const ClipShape image{1, clip_.height, clip_.width};
    if (checkpoint_.pipeline != PipelineClass::kWanVACE)
      return {checkpoint_.expand_timesteps ? image : clip_};
    std::vector<ClipShape> clips = {clip_, clip_};  // what stays and what is made anew
    clips.insert(clips.end(), request().conditions.reference_images.size(), image);
    return clips;
  }

  PlannedPhase images() const {
    const std::optional<int64_t> tile = tile_of(request());
    const AllocationCost cost = on_gpu() ? gpu_allocation() : host_allocation();
    double work = 0, flops = 0;
    for (const ClipShape& clip : encoded()) {
      work = std::max(work, encode_bytes(vae_, clip, cost, tile));
      flops += encode_flops(vae_, clip);
    }
    double most = vae_bytes() + work;
    if (uses_image_encoder()) {
      const Component& component = checkpoint_.get("image_encoder");
      const auto count = static_cast<double>(request().conditions.end_image.empty() ? 1 : 2);
      const auto weights = on_gpu() ? static_cast<double>(loaded_bytes(component, float32_options()))
                                    : weight_memory(component, float32_options()).converted;
      const CLIPVisionConfig config = CLIPVisionConfig::from_config(component.config);
      most = std::max(most, weights + count * image_activations(config));
      flops += count * image_flops(config);
    }
    PlannedPhase planned = phase("images", kDecodingCode + mask_bytes() + (on_gpu() ? 0 : most),
                                 text_mapped() + images_mapped() + vae_memory().mapped);
    if (on_gpu()) planned.gpu_bytes = std::llround(kCudaRuntime + most);
    planned.tflop = flops / 1e12;
    return planned;
  }

  /// A layer of the image encoder at work on an image: its input, sums, query, key, value and what is inside
  /// the feed-forward, twice.
  static double image_activations(const CLIPVisionConfig& config) {
    return 4.0 * static_cast<double>(config.num_positions()) *
           static_cast<double>(6 * config.hidden_size + 2 * config.intermediate_size);
  }

  /// VACE has the mask of all frames as float32 RGB, in three steps if it comes from a file.
  double mask_bytes() const {
    if (checkpoint_.pipeline != PipelineClass::kWanVACE) return 0;
    const double rgb = 12.0 * static_cast<double>(clip_.num_frames * clip_.height * clip_.width);
    return request().conditions.control_mask.empty() ? rgb : 3 * rgb;
  }

  /// What a control branch adds to the main one's work.
  double branches() const {
    if (checkpoint_.pipeline != PipelineClass::kWanVACE) return 1;
    const auto vace = WanVACETransformer3DConfig::from_config(checkpoint_.get("transformer").config);
    return 1 + static_cast<double>(vace.vace_layers.size()) / static_cast<double>(transformer_.num_layers);
  }

  double sampling_code() const { return request().outputs.makes_previews() ? kDecodingCode : kSamplingCode; }

  PlannedPhase sampling() {
    const Component& component = checkpoint_.get("transformer");
    const WeightMemory weights = weight_memory(component, expert_options());
    PlannedPhase planned;
    if (on_gpu()) {
      planned = sampling_on_gpu(component);
    } else {
      const AllocationCost cost = host_allocation();
      const auto activations =
          static_cast<double>(sampling_bytes(checkpoint_, "transformer", request(), placement_));
      const double overhead = activations < kLargeActivations ? cost.overhead : 1;
      const bool from_disk = request().machine.offload == "disk";
      const double converted =
          from_disk ? weights.converted / static_cast<double>(transformer_.num_layers) : weights.converted;
      planned =
          phase("sampling", sampling_code() + vae_bytes() + converted + overhead * activations, all_mapped());
    }
    planned.tflop = static_cast<double>(plan_.forwards) * branches() *
                    forward_flops(transformer_, plan_.tokens).total() / 1e12;
    return planned;
  }

  PlannedPhase sampling_on_gpu(const Component& component) {
    const uint64_t beside = bytes_beside(checkpoint_, "transformer", request(), placement_);
    const TransformerMemory memory = TransformerMemory::of(component, expert_options(), beside);
    const BlockResidency residency =
        plan_blocks(memory, request().machine.offload, request().machine.max_vram);
    plan_.blocks = memory.blocks.count;
    plan_.resident_blocks = std::min(residency.resident, plan_.blocks);
    const uint64_t waiting = memory.waiting(residency.resident);
    const bool on_host = waiting > 0 && residency.waiting == BlockResidency::Waiting::kHost;
    if (waiting > 0) plan_.waiting = on_host ? "cpu" : "disk";
    PlannedPhase planned =
        phase("sampling", sampling_code() + (on_host ? static_cast<double>(waiting) : 0), all_mapped());
    planned.gpu_bytes = static_cast<int64_t>(memory.on_device(residency.resident));
    return planned;
  }

  PlannedPhase decoding(double code, double mapped) const {
    const std::optional<int64_t> tile = tile_of(request());
    const double pixels = 3 * static_cast<double>(clip_.height * clip_.width);
    // Tiles are joined on the host, in float32.
    const double joined = tile ? 4 * pixels * static_cast<double>(clip_.num_frames) : 0;
    const double work = decode_bytes(vae_, clip_, on_gpu() ? gpu_allocation() : host_allocation(), tile);
    const double host = code + encoder_bytes() + joined;
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
  const CheckedRequest request_;
  const PlannedMachine& machine_;
  Placement placement_;
  WanTransformer3DConfig transformer_;
  AutoencoderKLWanConfig vae_;
  ClipShape clip_;
  Plan plan_;
};

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
  double stored = 0;
  for (const PlannedFile& file : plan.files) stored += static_cast<double>(file.bytes);
  std::vector<PhaseWork> work;
  for (const PlannedPhase& phase : plan.phases) {
    PhaseWork planned{
        .phase = phase.name, .dtype = "", .width = 1, .length = 1, .amount = phase.tflop * 1e12};
    const auto set = [&](const std::string& dtype, int64_t width, int64_t length) {
      planned.dtype = dtype;
      planned.width = static_cast<double>(width);
      planned.length = static_cast<double>(length);
    };
    const auto config = [&](const char* component) { return checkpoint.get(component).config; };
    if (phase.name == "start") planned.amount = 1;
    if (phase.name == "load") planned.amount = stored;
    if (phase.name == "text")
      set(plan.machine.dtype, UMT5Config::from_config(config("text_encoder")).d_model, kMaxSequenceLength);
    if (phase.name == "sampling")
      set(plan.machine.dtype, WanTransformer3DConfig::from_config(config("transformer")).dim(), plan.tokens);
    if (phase.name == "images" || phase.name == "decoding") {
      // What is measured of the VAE is its decoder.
      planned.phase = "decoding";
      set("float32", AutoencoderKLWanConfig::from_config(config("vae")).decoder_base_dim,
          plan.size.height * plan.size.width);
    }
    work.push_back(planned);
  }
  return work;
}

Plan plan_as_asked(const Checkpoint& checkpoint, const CheckedRequest& request,
                   const PlannedMachine& machine) {
  return Planner(checkpoint, request, machine).make();
}

Plan plan_decoding(const Checkpoint& checkpoint, const DecodeTask& task, const PlannedMachine& machine) {
  return Planner(checkpoint, request_of(task), machine).make_decoding();
}

}  // namespace t2v
