#include "engine/bench/bench_run.h"

#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/hash.h"
#include "engine/pipelines/registry.h"
#include "engine/planning/clip_plan.h"
#include "tensors/kernels/attention.h"

namespace t2v {
namespace {

using nlohmann::json;
using Kind = BenchKind;

/// A hash that is equal for equal work, for any number of blocks that run.
std::string fingerprint(const BenchSpec& spec, const BenchResult& result, const std::string& model) {
  return fnv1a_name(spec.name + "|" + describe(spec) + "|" + model + "|" + result.dtype + "|" +
                    std::to_string(result.tflop) + "|" + std::to_string(result.bytes));
}

void add_note(const std::string& note, BenchResult& result) {
  result.note += (result.note.empty() ? "" : "; ") + note;
}

int64_t stored_bytes(const Component& component) {
  int64_t bytes = 0;
  for (const auto& [name, source] : component.tensors)
    bytes += static_cast<int64_t>(source.stored.end - source.stored.begin);
  return bytes;
}

/// Creates bench_folder() and returns it. Error (kOutput).
std::filesystem::path made_folder() {
  const std::filesystem::path folder = bench_folder();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw output_error(folder, error.value());
  return folder;
}

/// Drops the files of a component from memory. Returns whether the system dropped all of them.
bool drop_files(const Component& component) {
  bool dropped = true;
  for (const auto& file : component.files)
    dropped = drop_from_memory(file->path(), std::as_bytes(std::span(file->content()))) && dropped;
  return dropped;
}

/// Adds the time between events to the phases of a plan.
class PhaseClock {
 public:
  void begin() {
    spent_.clear();
    last_ = now();
  }
  void on_event(const Event& event) {
    const double time = now();
    spent_[name_of(event.done > 0 ? event.kind : current_)] += time - last_;
    current_ = event.kind;
    last_ = time;
  }
  /// Seconds of each phase since begin().
  std::map<std::string, double> take() { return std::exchange(spent_, {}); }

 private:
  static double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
  static std::string name_of(Event::Kind kind) {
    if (kind == Event::Kind::kEncodeText) return "text";
    if (kind == Event::Kind::kStep) return "sampling";
    return kind == Event::Kind::kDecode ? "decoding" : "load";
  }

  std::map<std::string, double> spent_;
  Event::Kind current_ = Event::Kind::kLoad;
  double last_ = now();
};

}  // namespace

BenchRunner::BenchRunner(BenchSetting setting, Calibration& calibration, const RunControl& control)
    : setting_(std::move(setting)),
      calibration_(calibration),
      control_(control),
      timer_(setting_.placement.device, setting_.repeats, control),
      ceiling_(setting_.placement.device) {}

at::ScalarType BenchRunner::dtype_of(const BenchSpec& spec) const {
  // The VAE always computes in float32.
  return spec.kind == Kind::kVae ? at::kFloat : setting_.placement.dtype;
}

BenchResult BenchRunner::run(const BenchSpec& spec) {
  const c10::InferenceMode inference_mode;
  const CasePlan planned = plan_case(spec, setting_);
  if (!planned.refusal.empty()) throw Error(ErrorCode::kResource, {.doing = planned.refusal});
  // Loading has no arithmetic, and a whole clip uses several dtypes.
  const bool has_ceiling = spec.kind != Kind::kLoad && spec.kind != Kind::kClip;
  const double ceiling_before = has_ceiling ? ceiling_.last(dtype_of(spec)) : 0;
  BenchResult result;
  result.name = spec.name;
  // Only whole clips keep matrices in fp8.
  result.dtype = spec.kind == Kind::kClip ? setting_.named.request.machine.dtype : dtype_name(dtype_of(spec));
  result.note = planned.note;
  result.tokens = planned.tokens;
  measure(spec, planned, result);
  if (has_ceiling) add_share(spec, ceiling_before, result);
  result.fingerprint =
      fingerprint(spec, result, spec.model.empty() ? setting_.named.checkpoint.origin : spec.model);
  return result;
}

void BenchRunner::measure(const BenchSpec& spec, const CasePlan& planned, BenchResult& result) {
  switch (spec.kind) {
    case Kind::kGemm:
      run_product(spec, result);
      break;
    case Kind::kAttention:
      run_attention(spec, result);
      break;
    case Kind::kBlock:
    case Kind::kTransformer:
    case Kind::kVae:
    case Kind::kTextEncoder:
      run_network(spec, planned, result);
      break;
    case Kind::kLoad:
      run_load(spec, planned, result);
      break;
    case Kind::kClip:
      run_clip(spec, result);
      break;
  }
}

void BenchRunner::add_share(const BenchSpec& spec, double ceiling_before, BenchResult& result) {
  const double reached = result.tflop / result.times.median;
  result.rate.ceiling = ceiling_.around(dtype_of(spec), ceiling_before, reached);
  result.rate.share = reached / result.rate.ceiling;
  if (result.rate.share > 1) add_note("faster than the fastest product measured", result);
}

void BenchRunner::run_product(const BenchSpec& spec, BenchResult& result) const {
  const TransformerSizes sizes = transformer_sizes(spec);
  const auto product = fast_product(random_tensor({result.tokens, sizes.dim}, setting_.placement),
                                    random_tensor({sizes.ffn_dim, sizes.dim}, setting_.placement));
  result.tflop = 2e-12 * static_cast<double>(result.tokens) * static_cast<double>(sizes.dim * sizes.ffn_dim);
  timer_.time(result, product);
}

Tensor BenchRunner::random_heads(const BenchSpec& spec, int64_t tokens) const {
  const TransformerSizes sizes = transformer_sizes(spec);
  return random_tensor({1, tokens, sizes.num_heads, sizes.dim / sizes.num_heads}, setting_.placement);
}

void BenchRunner::run_attention(const BenchSpec& spec, BenchResult& result) const {
  const Tensor query = random_heads(spec, result.tokens), key = random_heads(spec, result.tokens),
               value = random_heads(spec, result.tokens);
  result.attention = attention_backend(query, key, value);
  const auto n = static_cast<double>(result.tokens);
  result.tflop = 4e-12 * n * n * static_cast<double>(transformer_sizes(spec).dim);
  timer_.time(result, [&] { attention(query, key, value); });
}

void BenchRunner::run_network(const BenchSpec& spec, const CasePlan& planned, BenchResult& result) {
  const BenchNetwork network = bench_network(spec);
  const int64_t num_layers = planned.blocks > 0 ? planned.blocks : network.num_layers;
  const auto run = load_network(spec, num_layers, setting_.placement, [this] { timer_.stop_if_asked(); });
  if (network.component == "transformer") {
    const Tensor heads = random_heads(spec, 64);
    result.attention = attention_backend(heads, heads, heads);
  }
  result.tflop = network_cost(spec, num_layers, setting_.placement).flops / 1e12;
  timer_.time(result, run);
  calibration_.add({network.phase, result.dtype, static_cast<double>(network.size.width),
                    static_cast<double>(network.size.length), result.tflop * 1e12},
                   result.times.median);
  if (spec.kind != Kind::kBlock) stand_for(static_cast<double>(network.num_layers / num_layers), result);
}

void BenchRunner::run_load(const BenchSpec& spec, const CasePlan& planned, BenchResult& result) const {
  std::optional<SyntheticFile> file;
  nlohmann::json config = spec.model.empty() ? nlohmann::json() : bench_config(spec.model);
  const uint64_t whole = spec.model.empty() ? 0 : synthetic_bytes("transformer", config);
  if (planned.blocks > 0) config["num_layers"] = planned.blocks;
  if (!spec.model.empty())
    file.emplace("transformer", config, made_folder(), [&] { timer_.stop_if_asked(); });
  const Component& transformer =
      file ? file->model()
           : setting_.named.checkpoint.get(denoiser_of(*setting_.named.checkpoint.family).name);
  result.bytes = stored_bytes(transformer);

  bool from_disk = true;
  timer_.time(
      result,
      [&] {
        const Weights weights = Weights::open(
            transformer, {.placement = setting_.placement, .keep_in_fp32 = transformer_keeps_in_fp32()});
        std::vector<Tensor> loaded;
        for (const auto& [name, source] : transformer.tensors) {
          timer_.stop_if_asked();
          loaded.push_back(weights.tensor(name));
          loaded.back().sum();  // reads the mapped file
        }
      },
      [&] { from_disk = drop_files(transformer) && from_disk; });
  if (!from_disk) add_note("the files stayed in memory", result);
  if (planned.blocks > 0) stand_for(static_cast<double>(whole) / static_cast<double>(result.bytes), result);
  if (file) result.bytes = static_cast<int64_t>(whole);
}

void BenchRunner::run_clip(const BenchSpec& spec, BenchResult& result) {
  const BenchClip clip = bench_clip(spec, setting_, SyntheticValues::kRandom);
  const Plan plan = plan_as_asked(clip.checkpoint, clip.request, this_machine(setting_.placement.device));
  for (const PlannedPhase& phase : plan.phases) result.tflop += phase.tflop;

  const auto costs = make_cost_model(clip.checkpoint, clip.request, setting_.placement);
  PhaseClock clock;
  const RunControl control{.on_event = [&clock](const Event& event) { clock.on_event(event); },
                           .stop = control_.stop};
  std::vector<std::map<std::string, double>> runs;
  timer_.time(result, [&] {
    clock.begin();
    ModelStore models;
    const auto pipeline =
        make_pipeline({clip.checkpoint, setting_.placement, clip.request, {}}, models, control);
    pipeline->decode(sample_all(*pipeline), [](const Frames&) {});
    runs.push_back(clock.take());
  });
  for (const PhaseWork& work : work_of(*clip.checkpoint.family, *costs, plan)) {
    if (!runs.front().contains(work.phase)) continue;
    // Plans are for the first clip of a process. Synthetic weights live in memory: their loading time says
    // nothing about files.
    const bool as_planned = spec.model.empty() || work.phase != "load";
    if (as_planned) calibration_.add(work, runs.front().at(work.phase));
    std::vector<double> seconds;
    for (auto& run : runs) seconds.push_back(run[work.phase]);
    seconds.erase(seconds.begin(), seconds.end() - static_cast<std::ptrdiff_t>(result.times.runs.size()));
    result.phases.emplace_back(work.phase, quantile(seconds, 0.5));
  }
}

}  // namespace t2v
