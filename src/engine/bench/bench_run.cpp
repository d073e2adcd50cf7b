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
#include "networks/autoencoders/autoencoder_kl_wan.h"
#include "networks/text_encoders/umt5_encoder.h"
#include "networks/transformers/transformer_wan.h"
#include "tensors/kernels/attention.h"

namespace t2v {
namespace {

using nlohmann::json;
using Kind = BenchKind;

constexpr int64_t kPromptRows = 512;

/// Equal for equal work, however much of it is run.
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

/// bench_folder(), which is there then. Error (kOutput).
std::filesystem::path made_folder() {
  const std::filesystem::path folder = bench_folder();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw output_error(folder, error.value());
  return folder;
}

/// Whether all files of a component were dropped from memory.
bool drop_files(const Component& component) {
  bool dropped = true;
  for (const auto& file : component.files)
    dropped = drop_from_memory(file->path(), std::as_bytes(std::span(file->content()))) && dropped;
  return dropped;
}

/// Books the time between events on the phases of a plan.
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
  // The VAE computes in float32 whatever the others do.
  return spec.kind == Kind::kVae ? at::kFloat : setting_.placement.dtype;
}

BenchResult BenchRunner::run(const BenchSpec& spec) {
  const c10::InferenceMode inference_mode;
  const BenchOutlook outlook = look_at(spec, setting_);
  if (!outlook.refusal.empty()) throw Error(ErrorCode::kResource, {.doing = outlook.refusal});
  // Loading is no arithmetic, and a whole clip is of several dtypes.
  const bool has_ceiling = spec.kind != Kind::kLoad && spec.kind != Kind::kClip;
  const double ceiling_before = has_ceiling ? ceiling_.last(dtype_of(spec)) : 0;
  BenchResult result;
  result.name = spec.name;
  // Matrices of a clip alone are kept in fp8.
  result.dtype = spec.kind == Kind::kClip ? setting_.named.request.machine.dtype : dtype_name(dtype_of(spec));
  result.note = outlook.note;
  result.tokens = outlook.tokens;
  measure(spec, outlook, result);
  if (has_ceiling) add_share(spec, ceiling_before, result);
  result.fingerprint =
      fingerprint(spec, result, spec.model.empty() ? setting_.named.checkpoint.origin : spec.model);
  return result;
}

void BenchRunner::measure(const BenchSpec& spec, const BenchOutlook& outlook, BenchResult& result) {
  switch (spec.kind) {
    case Kind::kGemm:
      run_product(spec, result);
      break;
    case Kind::kAttention:
      run_attention(spec, result);
      break;
    case Kind::kBlock:
    case Kind::kTransformer:
      run_transformer(spec, outlook, result);
      break;
    case Kind::kVae:
      run_vae(spec, result);
      break;
    case Kind::kTextEncoder:
      run_text_encoder(spec, result);
      break;
    case Kind::kLoad:
      run_load(spec, outlook, result);
      break;
    case Kind::kClip:
      run_clip(spec, result);
      break;
  }
}

void BenchRunner::add_share(const BenchSpec& spec, double ceiling_before, BenchResult& result) {
  double computed = result.tflop;  // what is not computed takes no time
  if (spec.kind == Kind::kVae) computed -= decode_zero_flops(bench_vae(spec.model), spec.clip) / 1e12;
  const double reached = computed / result.times.median;
  result.rate.ceiling = ceiling_.around(dtype_of(spec), ceiling_before, reached);
  result.rate.share = reached / result.rate.ceiling;
  if (result.rate.share > 1) add_note("faster than the fastest product measured", result);
}

Tensor BenchRunner::random(at::IntArrayRef shape, at::ScalarType dtype) const {
  return at::empty(shape, at::device(setting_.placement.device).dtype(dtype)).normal_();
}

void BenchRunner::run_product(const BenchSpec& spec, BenchResult& result) const {
  const WanTransformer3DConfig config = bench_transformer(spec.model);
  const auto product = fast_product(random({result.tokens, config.dim()}, setting_.placement.dtype),
                                    random({config.ffn_dim, config.dim()}, setting_.placement.dtype));
  result.tflop =
      2e-12 * static_cast<double>(result.tokens) * static_cast<double>(config.dim() * config.ffn_dim);
  timer_.time(result, product);
}

void BenchRunner::run_attention(const BenchSpec& spec, BenchResult& result) const {
  const WanTransformer3DConfig config = bench_transformer(spec.model);
  // As the transformer has them: heads beside each other in each token.
  const auto heads = [&] {
    return random({1, result.tokens, config.num_attention_heads, config.attention_head_dim},
                  setting_.placement.dtype);
  };
  const Tensor query = heads(), key = heads(), value = heads();
  result.attention = attention_backend(query, key, value);
  const auto n = static_cast<double>(result.tokens);
  result.tflop = 4e-12 * n * n * static_cast<double>(config.dim());
  timer_.time(result, [&] { attention(query, key, value); });
}

void BenchRunner::run_transformer(const BenchSpec& spec, const BenchOutlook& outlook, BenchResult& result) {
  json config = bench_config(spec.model);
  const WanTransformer3DConfig whole = bench_transformer(spec.model);
  const LatentShape shape = bench_latents(spec);
  if (outlook.blocks > 0) config["num_layers"] = outlook.blocks;

  const Weights weights =
      Weights::open(synthetic_model("transformer", config),
                    {.placement = setting_.placement, .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32()});
  const WanTransformer3DModel model(weights,
                                    WanTransformer3DConfig::from_config(Config(config, "transformer")),
                                    {.before_each = [this] { timer_.stop_if_asked(); }});
  const TextContext context =
      model.prepare(random({1, kPromptRows, whole.text_dim}, setting_.placement.dtype));
  const Tensor latents = random({1, whole.in_channels, shape.frames, shape.height, shape.width}, at::kFloat);
  const Tensor timestep = at::full({1}, 500.0, at::kFloat);
  const auto heads = [&] {
    return random({1, 64, whole.num_attention_heads, whole.attention_head_dim}, setting_.placement.dtype);
  };
  result.attention = attention_backend(heads(), heads(), heads());
  const int64_t layers = outlook.blocks > 0 ? whole.num_layers : 1;
  result.tflop = forward_flops(whole, shape.tokens).total() / 1e12 / static_cast<double>(layers);
  timer_.time(result, [&] { model.forward(latents, timestep, context); });
  calibration_.add({"sampling", result.dtype, static_cast<double>(whole.dim()),
                    static_cast<double>(shape.tokens), result.tflop * 1e12},
                   result.times.median);
  if (spec.kind == Kind::kTransformer) stand_for(static_cast<double>(layers), result);
}

void BenchRunner::run_vae(const BenchSpec& spec, BenchResult& result) {
  const AutoencoderKLWanConfig config = bench_vae(spec.model);
  const Weights weights =
      Weights::open(synthetic_model("vae", bench_config(spec.model)),
                    {.placement = {at::kFloat, setting_.placement.device}, .keep_in_fp32 = {}});
  const AutoencoderKLWan vae(weights, config);
  const Tensor latents =
      random({1, config.z_dim, (spec.clip.num_frames - 1) / config.scale_factor_temporal + 1,
              spec.clip.height / config.scale_factor_spatial, spec.clip.width / config.scale_factor_spatial},
             at::kFloat);
  result.tflop = decode_flops(config, spec.clip) / 1e12;
  timer_.time(result, [&] { vae.decode(latents, [&](const Tensor&) { timer_.stop_if_asked(); }); });
  calibration_.add({"decoding", result.dtype, static_cast<double>(config.decoder_base_dim),
                    static_cast<double>(spec.clip.height * spec.clip.width), result.tflop * 1e12},
                   result.times.median);
}

void BenchRunner::run_text_encoder(const BenchSpec& spec, BenchResult& result) {
  json config = bench_config(spec.model);
  const UMT5Config whole = UMT5Config::from_config(Config(config, "text_encoder"));
  const int64_t tokens = spec.clip.num_frames;
  config["num_layers"] = 1;
  const Weights weights = Weights::open(synthetic_model("text_encoder", config),
                                        {.placement = setting_.placement, .keep_in_fp32 = {}});
  const UMT5Encoder encoder(weights, UMT5Config::from_config(Config(config, "text_encoder")));
  const Tensor ids = at::randint(1, config["vocab_size"].get<int64_t>(), {tokens}, at::kLong);
  result.tflop = text_flops(whole, tokens) / 1e12 / static_cast<double>(whole.num_layers);
  timer_.time(result, [&] { encoder.forward({ids}); });
  stand_for(static_cast<double>(whole.num_layers), result);
  calibration_.add({"text", result.dtype, static_cast<double>(whole.d_model), static_cast<double>(tokens),
                    result.tflop * 1e12},
                   result.times.median);
}

void BenchRunner::run_load(const BenchSpec& spec, const BenchOutlook& outlook, BenchResult& result) const {
  std::optional<SyntheticFile> file;
  nlohmann::json config = spec.model.empty() ? nlohmann::json() : bench_config(spec.model);
  const uint64_t whole = spec.model.empty() ? 0 : synthetic_bytes("transformer", config);
  if (outlook.blocks > 0) config["num_layers"] = outlook.blocks;
  if (!spec.model.empty())
    file.emplace("transformer", config, made_folder(), [&] { timer_.stop_if_asked(); });
  const Component& transformer = file ? file->model() : setting_.named.checkpoint.get("transformer");
  result.bytes = stored_bytes(transformer);

  bool from_disk = true;
  timer_.time(
      result,
      [&] {
        const Weights weights = Weights::open(
            transformer,
            {.placement = setting_.placement, .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32()});
        std::vector<Tensor> loaded;
        for (const auto& [name, source] : transformer.tensors) {
          timer_.stop_if_asked();
          loaded.push_back(weights.tensor(name));
          loaded.back().sum();  // a mapped file is read when its numbers are
        }
      },
      [&] { from_disk = drop_files(transformer) && from_disk; });
  if (!from_disk) add_note("the files stayed in memory", result);
  if (outlook.blocks > 0) stand_for(static_cast<double>(whole) / static_cast<double>(result.bytes), result);
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
  for (const PhaseWork& work : work_of(*costs, plan)) {
    if (!runs.front().contains(work.phase)) continue;
    // A process renders its first clip: that is what plans are about. Weights that live in memory are not
    // loaded as those of files are.
    const bool as_planned = spec.model.empty() || work.phase != "load";
    if (as_planned) calibration_.add(work, runs.front().at(work.phase));
    std::vector<double> seconds;
    for (auto& run : runs) seconds.push_back(run[work.phase]);
    seconds.erase(seconds.begin(), seconds.end() - static_cast<std::ptrdiff_t>(result.times.runs.size()));
    result.phases.emplace_back(work.phase, quantile(seconds, 0.5));
  }
}

}  // namespace t2v
