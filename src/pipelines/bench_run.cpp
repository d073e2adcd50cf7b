#include "pipelines/bench_run.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "autoencoders/autoencoder_kl_wan.h"
#include "core/device.h"
#include "core/hash.h"
#include "text_encoders/umt5_encoder.h"
#include "transformers/transformer_wan.h"

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
  result.dtype = dtype_name(dtype_of(spec));
  result.note = outlook.note;
  result.tokens = outlook.tokens;
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
  if (has_ceiling) add_share(spec, ceiling_before, result);
  result.fingerprint =
      fingerprint(spec, result, spec.model.empty() ? setting_.named.checkpoint.origin : spec.model);
  return result;
}

void BenchRunner::add_share(const BenchSpec& spec, double ceiling_before, BenchResult& result) {
  double computed = result.tflop;  // what is not computed takes no time
  if (spec.kind == Kind::kVae) computed -= decode_zero_flops(bench_vae(spec.model), spec.clip) / 1e12;
  const double reached = computed / result.median;
  result.ceiling = ceiling_.around(dtype_of(spec), ceiling_before, reached);
  result.share = reached / result.ceiling;
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
                  setting_.placement.dtype)
        .transpose(1, 2);
  };
  const Tensor query = heads(), key = heads(), value = heads();
  result.attention = attention_backend(query, key, value);
  const auto n = static_cast<double>(result.tokens);
  result.tflop = 4e-12 * n * n * static_cast<double>(config.dim());
  timer_.time(result, [&] { at::scaled_dot_product_attention(query, key, value); });
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
    return random({1, 64, whole.num_attention_heads, whole.attention_head_dim}, setting_.placement.dtype)
        .transpose(1, 2);
  };
  result.attention = attention_backend(heads(), heads(), heads());
  const int64_t layers = outlook.blocks > 0 ? whole.num_layers : 1;
  result.tflop = forward_flops(whole, shape.tokens).total() / 1e12 / static_cast<double>(layers);
  timer_.time(result, [&] { model.forward(latents, timestep, context); });
  calibration_.add({"sampling", result.dtype, static_cast<double>(whole.dim()),
                    static_cast<double>(shape.tokens), result.tflop * 1e12},
                   result.median);
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
                   result.median);
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
                   result.median);
}

}  // namespace t2v
