#include "engine/planning/clip_plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "core/gpu_monitor.h"
#include "core/machine.h"
#include "engine/pipelines/registry.h"
#include "sampling/guidance/classifier_free_guidance.h"
#include "tensors/cost.h"
#include "tensors/device.h"
#include "tensors/weights/block_plan.h"
#include "tensors/weights/dtypes.h"

namespace t2v {
namespace {

constexpr double kMiB = 1 << 20;

// Measured with the bundled model on the CPU, as differences of the resident set between phases: code of
// LibTorch and oneDNN that no phase before has used.
constexpr double kTextCode = 18 * kMiB, kSamplingCode = 34 * kMiB, kDecodingCode = 42 * kMiB;
// Code of decoding without sampling before it, which uses some of the same code.
constexpr double kDecodingAloneCode = 14 * kMiB;
// Memory of a video encoder: x264 at its default quality, measured from 64x64 to 1280x720 and 5 to 200
// frames. Each picture is framed by 32 pixels on every side.
constexpr double kEncoder = 5 * kMiB, kEncoderPerPixel = 10, kEncoderPerPixelAndFrame = 3.75;
constexpr int64_t kEncoderFrames = 47, kEncoderBorder = 64;
// Bytes of a clip: H.264 at its default quality, and lossless.
constexpr double kBytesPerPixel = 0.15, kBytesPerPixelLossless = 1.6;

/// Memory of loaded weights, in bytes.
struct WeightMemory {
  double mapped = 0;     ///< of files that are read
  double converted = 0;  ///< of numbers that a file has in another dtype
  double all = 0;        ///< of all numbers, as they are loaded
};

WeightMemory weight_memory(const Component& component, const ComponentUse& use) {
  WeightMemory memory;
  for (const auto& [name, source] : component.tensors) {
    if (!name.starts_with(use.prefix)) continue;
    const StoredTensor& stored = source.stored;
    memory.mapped += static_cast<double>(stored.end - stored.begin);
    const at::ScalarType dtype = loaded_dtype(name, stored, use.options);
    double bytes = static_cast<double>(at::elementSize(dtype));
    for (const int64_t size : stored.shape) bytes *= static_cast<double>(size);
    memory.all += bytes;
    if (number_format_of(dtype) != stored.format) memory.converted += bytes;
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
        costs_(make_cost_model(checkpoint, request, placement_)) {
    plan_.size = request.size;
    plan_.sampling = request.sampling;
    plan_.machine = request.machine;
    plan_.device = machine.device.str();
    plan_.device_name = machine.device_name;
    plan_.available = {static_cast<int64_t>(machine.host_available), static_cast<int64_t>(machine.gpu_total)};
    plan_.disk.output = std::llround(
        pixels() * (request.encoding.quality == "lossless" ? kBytesPerPixelLossless : kBytesPerPixel));
    plan_.phases = {{.name = "start", .seconds = {}}, {.name = "load", .seconds = {}}};
    const LatentShape latents = costs_->latents();
    plan_.latents = {latents.channels, latents.frames, latents.height, latents.width, latents.tokens};
  }

  Plan make() {
    for (const auto& [name, component] : checkpoint_.components) add_files(name);
    const PlannedLatents& latents = plan_.latents;
    plan_.disk.latents = 4 * latents.channels * latents.frames * latents.height * latents.width;
    plan_.forwards = request_.sampling.num_inference_steps * prompts();
    plan_.phases.push_back(text());
    if (const std::vector<ComponentWork> work = costs_->conditions(); !work.empty())
      plan_.phases.push_back(images(work));
    plan_.phases.push_back(sampling());
    plan_.phases.push_back(decoding(kDecodingCode));
    add_seconds();
    return plan_;
  }

  Plan make_decoding() {
    add_files(costs_->decoding().component);
    plan_.latents.tokens = 0;
    plan_.sampling.reset();
    plan_.machine.dtype = dtype_name(at::kFloat);
    plan_.phases.push_back(decoding(kDecodingAloneCode));
    add_seconds();
    return plan_;
  }

 private:
  bool on_gpu() const { return !placement_.device.is_cpu(); }
  int64_t prompts() const { return is_guided(request_.sampling.guidance_scale) ? 2 : 1; }
  double pixels() const {
    const CheckedSize& size = request_.size;
    return static_cast<double>(size.num_frames * size.height * size.width);
  }

  void add_files(const std::string& component) {
    for (const auto& file : checkpoint_.get(component).files) {
      plan_.files.push_back({component, file->path(), static_cast<int64_t>(file->content().size())});
    }
  }

  WeightMemory weights(const std::string& component) const {
    return weight_memory(checkpoint_.get(component), costs_->use(component));
  }
  /// Bytes of a loaded component on the device, without mapped files.
  double loaded(const std::string& component) const {
    const WeightMemory memory = weights(component);
    return on_gpu() || costs_->use(component).is_copied ? memory.all : memory.converted;
  }

  /// Plans a phase. `anonymous`: bytes beside the initial memory of the process and the mapped files. Mapped
  /// are the files of `components` and of the phases before.
  PlannedPhase phase(const std::string& name, double anonymous, const std::vector<std::string>& components) {
    for (const std::string& component : components) mapped_[component] = weights(component).mapped;
    double mapped = 0;
    for (const auto& [component, bytes] : mapped_) mapped += bytes;
    const double host = static_cast<double>(machine_.host_taken) + anonymous + control_frames() + mapped;
    return {.name = name,
            .tflop = 0,
            .host_bytes = std::llround(host),
            .mapped_bytes = std::llround(mapped),
            .gpu_bytes = 0,
            .seconds = {}};
  }

  /// Bytes of the frames of the control video and of its mask.
  double control_frames() const {
    const Conditions& conditions = request_.conditions;
    const int clips = (conditions.control_video.empty() ? 0 : 1) + (conditions.control_mask.empty() ? 0 : 1);
    return clips * 3 * pixels();
  }

  PlannedPhase text() {
    const ComponentWork work = costs_->text();
    const ComponentUse use = costs_->use(work.component);
    const WeightMemory memory = weights(work.component);
    const auto blocks =
        static_cast<double>(BlockMemory::of(checkpoint_.get(work.component), use.options, use.prefix).count);
    const std::string& device = request_.machine.text_encoder_device;
    PlannedPhase planned = phase("text", kTextCode + memory.converted / blocks, {work.component});
    // One block computes while the next block loads.
    if (device.empty() ? on_gpu() : device != "cpu")
      planned.gpu_bytes = std::llround(kCudaRuntime + 2 * memory.all / blocks + work.bytes);
    planned.tflop = static_cast<double>(prompts()) * work.flops / 1e12;
    return planned;
  }

  PlannedPhase images(const std::vector<ComponentWork>& work) {
    double largest = 0, flops = 0, host_bytes = 0;
    std::vector<std::string> components;
    for (const ComponentWork& each : work) {
      largest = std::max(largest, loaded(each.component) + each.bytes);
      flops += each.flops;
      host_bytes += each.host_bytes;
      components.push_back(each.component);
    }
    PlannedPhase planned = phase("images", kDecodingCode + host_bytes + (on_gpu() ? 0 : largest), components);
    if (on_gpu()) planned.gpu_bytes = std::llround(kCudaRuntime + largest);
    planned.tflop = flops / 1e12;
    return planned;
  }

  PlannedPhase sampling() {
    const std::string& transformer = denoiser_of(*checkpoint_.family).name;
    const ComponentWork work = costs_->sampling(transformer);
    const std::string vae = costs_->decoding().component;
    std::vector<std::string> components = {vae};
    for (const PartKind& part : checkpoint_.family->parts()) {
      if (part.network() == transformer && checkpoint_.has(part.name)) components.push_back(part.name);
    }
    const ComponentUse use = costs_->use(transformer);
    const StreamedMemory memory =
        StreamedMemory::of(checkpoint_.get(transformer), use.options, use.blocks,
                           bytes_beside(*costs_, checkpoint_, transformer, placement_));
    double held = request_.outputs.makes_previews() ? kDecodingCode : kSamplingCode;
    int64_t gpu_bytes = 0;
    if (on_gpu()) {
      const BlockResidency residency =
          plan_blocks(memory, request_.machine.offload, request_.machine.max_vram);
      held += add_blocks(memory, residency);
      gpu_bytes = static_cast<int64_t>(memory.on_device(residency.resident));
    } else {
      const bool from_disk = request_.machine.offload == "disk";
      const double blocks = from_disk ? static_cast<double>(memory.count()) : 1;
      held += loaded(vae) + loaded(transformer) / blocks + work.bytes;
    }
    PlannedPhase planned = phase("sampling", held, components);
    planned.gpu_bytes = gpu_bytes;
    planned.tflop = static_cast<double>(plan_.forwards) * work.flops / 1e12;
    return planned;
  }

  /// Plans the blocks of the transformer. Returns the bytes of waiting blocks in the host's memory.
  double add_blocks(const StreamedMemory& memory, const BlockResidency& residency) {
    plan_.blocks = {.count = memory.count(), .resident = std::min(residency.resident, memory.count())};
    const uint64_t waiting = memory.waiting(residency.resident);
    const bool on_host = waiting > 0 && residency.waiting == BlockResidency::Waiting::kHost;
    if (waiting > 0) plan_.blocks.waiting = on_host ? "cpu" : "disk";
    return on_host ? static_cast<double>(waiting) : 0;
  }

  PlannedPhase decoding(double code) {
    const ComponentWork work = costs_->decoding();
    const double device = loaded(work.component) + work.bytes;
    const double host = code + encoder_bytes() + work.host_bytes;
    PlannedPhase planned = phase("decoding", host + (on_gpu() ? 0 : device), {work.component});
    if (on_gpu()) planned.gpu_bytes = std::llround(kCudaRuntime + device);
    planned.tflop = work.flops / 1e12;
    return planned;
  }

  double encoder_bytes() const {
    const CheckedSize& size = request_.size;
    const auto framed = static_cast<double>((size.height + kEncoderBorder) * (size.width + kEncoderBorder));
    const auto frames = static_cast<double>(std::min(size.num_frames, kEncoderFrames));
    return host_allocation().overhead *
           (kEncoder + framed * (kEncoderPerPixel + kEncoderPerPixelAndFrame * frames));
  }

  void add_seconds() {
    const Calibration calibration = Calibration::of(plan_.device_name);
    const std::vector<PhaseWork> work = work_of(*checkpoint_.family, *costs_, plan_);
    for (size_t i = 0; i < work.size(); ++i) plan_.phases[i].seconds = calibration.seconds(work[i]);
  }

  const Checkpoint& checkpoint_;
  const CheckedRequest& request_;
  const PlannedMachine& machine_;
  Placement placement_;
  std::unique_ptr<CostModel> costs_;
  std::map<std::string, double> mapped_;  ///< bytes of the files of each component that was read so far
  Plan plan_;
};

}  // namespace

PlannedMachine this_machine(at::Device device) {
  // Later this process takes more memory: weights that stay loaded, and LibTorch's code for counting costs.
  static const uint64_t taken_before_first_plan = resident_memory();
  PlannedMachine machine{.device = device,
                         .device_name = device_name(device),
                         .gpu_total = 0,
                         .host_available = available_memory(),
                         .host_taken = taken_before_first_plan};
  if (!device.is_cpu()) machine.gpu_total = GpuMonitor(device.index()).total_memory().value_or(0);
  return machine;
}

std::vector<PhaseWork> work_of(const Family& family, const CostModel& costs, const Plan& plan) {
  double stored = 0;
  for (const PlannedFile& file : plan.files) stored += static_cast<double>(file.bytes);
  std::vector<PhaseWork> work;
  for (const PlannedPhase& phase : plan.phases) {
    PhaseWork planned{
        .phase = phase.name, .dtype = "", .width = 1, .length = 1, .amount = phase.tflop * 1e12};
    const auto set = [&](const std::string& dtype, const std::string& component) {
      const NetworkSize size = costs.size(component);
      planned.dtype = dtype;
      planned.width = static_cast<double>(size.width);
      planned.length = static_cast<double>(size.length);
    };
    if (phase.name == "start") planned.amount = 1;
    if (phase.name == "load") planned.amount = stored;
    if (phase.name == "text") set(plan.machine.dtype, costs.text().component);
    if (phase.name == "sampling") set(plan.machine.dtype, denoiser_of(family).name);
    if (phase.name == "images" || phase.name == "decoding") {
      // The VAE was measured while decoding.
      planned.phase = "decoding";
      set("float32", costs.decoding().component);
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
