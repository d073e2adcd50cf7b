#include "files/checkpoints/expected_tensors.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace t2v {
namespace {

constexpr int64_t kMostLayers = 1000;

/// Collects names and shapes below a prefix.
class Shapes {
 public:
  explicit Shapes(TensorShapes& tensors, std::string prefix = "")
      : tensors_(tensors), prefix_(std::move(prefix)) {}

  Shapes operator[](const std::string& name) const { return Shapes(tensors_, prefix_ + name + "."); }
  Shapes operator[](int64_t index) const { return (*this)[std::to_string(index)]; }

  void tensor(const std::string& name, std::vector<int64_t> shape) const {
    tensors_.emplace(prefix_ + name, std::move(shape));
  }
  /// A weight of any number of dimensions, and a bias as long as its first.
  void affine(const std::string& name, std::vector<int64_t> shape) const {
    tensor(name + ".bias", {shape[0]});
    tensor(name + ".weight", std::move(shape));
  }
  void norm(const std::string& name, int64_t width) const { affine(name, {width}); }

 private:
  TensorShapes& tensors_;
  std::string prefix_;
};

// --- WanTransformer3DModel, WanVACETransformer3DModel

struct TransformerSizes {
  explicit TransformerSizes(const Config& config)
      : width(config.integer("num_attention_heads", 40) * config.integer("attention_head_dim", 128)),
        ffn(config.integer("ffn_dim", 13824)),
        image(config.has("added_kv_proj_dim") ? config.integer("added_kv_proj_dim", 0, 0) : 0),
        cross_norm(config.boolean("cross_attn_norm", true)) {}

  int64_t width, ffn, image;
  bool cross_norm;
};

void add_attention(const Shapes& to, const TransformerSizes& sizes, int64_t image) {
  for (const char* name : {"to_q", "to_k", "to_v", "to_out.0"}) to.affine(name, {sizes.width, sizes.width});
  to.tensor("norm_q.weight", {sizes.width});
  to.tensor("norm_k.weight", {sizes.width});
  if (image == 0) return;
  for (const char* name : {"add_k_proj", "add_v_proj"}) to.affine(name, {sizes.width, image});
  to.tensor("norm_added_k.weight", {sizes.width});
}

void add_block(const Shapes& to, const TransformerSizes& sizes) {
  add_attention(to["attn1"], sizes, 0);
  add_attention(to["attn2"], sizes, sizes.image);
  if (sizes.cross_norm) to.norm("norm2", sizes.width);
  to.affine("ffn.net.0.proj", {sizes.ffn, sizes.width});
  to.affine("ffn.net.2", {sizes.width, sizes.ffn});
  to.tensor("scale_shift_table", {1, 6, sizes.width});
}

void add_condition_embedder(const Shapes& to, const Config& config, int64_t width) {
  to.affine("time_embedder.linear_1", {width, config.integer("freq_dim", 256)});
  to.affine("time_embedder.linear_2", {width, width});
  to.affine("time_proj", {6 * width, width});
  to.affine("text_embedder.linear_1", {width, config.integer("text_dim", 4096)});
  to.affine("text_embedder.linear_2", {width, width});
  if (!config.has("image_dim")) return;
  const int64_t image = config.integer("image_dim", 0);
  const Shapes embedder = to["image_embedder"];
  embedder.norm("norm1", image);
  embedder.affine("ff.net.0.proj", {image, image});
  embedder.affine("ff.net.2", {width, image});
  embedder.norm("norm2", width);
  if (config.has("pos_embed_seq_len")) {
    embedder.tensor("pos_embed", {1, config.integer("pos_embed_seq_len", 0), image});
  }
}

void add_transformer(const Shapes& to, const Config& config) {
  const TransformerSizes sizes(config);
  const std::vector<int64_t> patch = config.integers("patch_size", {1, 2, 2});
  if (patch.size() != 3 ||
      std::any_of(patch.begin(), patch.end(), [](int64_t side) { return side < 1 || side > 64; })) {
    config.fail("patch_size", "three sizes");
  }
  const int64_t in = config.integer("in_channels", 16);
  const int64_t layers = config.integer("num_layers", 40, 1, kMostLayers);
  to.affine("patch_embedding", {sizes.width, in, patch[0], patch[1], patch[2]});
  add_condition_embedder(to["condition_embedder"], config, sizes.width);
  for (int64_t i = 0; i < layers; ++i) add_block(to["blocks"][i], sizes);
  // null means as many as come in; a config without the key, 16.
  const int64_t out = config.json().contains("out_channels") ? config.integer("out_channels", in) : 16;
  to.affine("proj_out", {out * patch[0] * patch[1] * patch[2], sizes.width});
  to.tensor("scale_shift_table", {1, 2, sizes.width});
  if (config.text("_class_name", "") != "WanVACETransformer3DModel") return;
  to.affine("vace_patch_embedding",
            {sizes.width, config.integer("vace_in_channels", 96), patch[0], patch[1], patch[2]});
  const std::vector<int64_t> vace_layers = config.integers("vace_layers", {0, 5, 10, 15, 20, 25, 30, 35});
  if (vace_layers.size() > static_cast<size_t>(kMostLayers)) {
    config.fail("vace_layers", "at most " + std::to_string(kMostLayers) + " layers");
  }
  for (size_t i = 0; i < vace_layers.size(); ++i) {
    const Shapes block = to["vace_blocks"][static_cast<int64_t>(i)];
    add_block(block, sizes);
    if (i == 0) block.affine("proj_in", {sizes.width, sizes.width});
    block.affine("proj_out", {sizes.width, sizes.width});
  }
}

// --- AutoencoderKLWan

void add_resnet(const Shapes& to, int64_t in, int64_t out) {
  to.tensor("norm1.gamma", {in, 1, 1, 1});
  to.affine("conv1", {out, in, 3, 3, 3});
  to.tensor("norm2.gamma", {out, 1, 1, 1});
  to.affine("conv2", {out, out, 3, 3, 3});
  if (in != out) to.affine("conv_shortcut", {out, in, 1, 1, 1});
}

void add_attention_block(const Shapes& to, int64_t width) {
  to.tensor("norm.gamma", {width, 1, 1});
  to.affine("to_qkv", {3 * width, width, 1, 1});
  to.affine("proj", {width, width, 1, 1});
}

void add_mid_block(const Shapes& to, int64_t width) {
  add_resnet(to["resnets"][0], width, width);
  add_resnet(to["resnets"][1], width, width);
  add_attention_block(to["attentions"][0], width);
}

/// A resampling layer; `time` is how many channels its convolution over time has, 0: none.
void add_resample(const Shapes& to, int64_t in, int64_t out, int64_t time) {
  to.affine("resample.1", {out, in, 3, 3});
  if (time > 0) to.affine("time_conv", {time, in, 3, 1, 1});
}

struct VaeSizes {
  explicit VaeSizes(const Config& config)
      : base(config.integer("base_dim", 96, 1, 1 << 16)),
        decoder_base(config.integer("decoder_base_dim", base, 1, 1 << 16)),
        z(config.integer("z_dim", 16, 1, 1 << 16)),
        resnets(config.integer("num_res_blocks", 2, 0, kMostLayers)),
        multipliers(config.integers("dim_mult", {1, 2, 4, 4})),
        temporal(config.booleans("temperal_downsample", {false, true, true})),
        residual(config.boolean("is_residual", false)) {
    if (multipliers.empty() || multipliers.size() > 16 || temporal.size() + 1 < multipliers.size()) {
      config.fail("dim_mult", "one more entry than temperal_downsample");
    }
    if (std::any_of(multipliers.begin(), multipliers.end(), [](int64_t m) { return m < 1 || m > 1024; })) {
      config.fail("dim_mult", "numbers from 1 to 1024");
    }
  }

  int64_t base, decoder_base, z, resnets;
  std::vector<int64_t> multipliers;
  std::vector<bool> temporal;
  bool residual;
};

void add_encoder(const Shapes& to, const Config& config, const VaeSizes& sizes) {
  const std::vector<double> attention_scales = config.numbers("attn_scales", {});
  int64_t width = sizes.base, layer = 0;
  double scale = 1;
  to.affine("conv_in", {width, config.integer("in_channels", 3), 3, 3, 3});
  for (size_t i = 0; i < sizes.multipliers.size(); ++i) {
    const int64_t out = sizes.base * sizes.multipliers[i];
    const bool last = i + 1 == sizes.multipliers.size();
    const Shapes blocks = to["down_blocks"];
    const Shapes block = blocks[static_cast<int64_t>(i)];
    for (int64_t r = 0; r < sizes.resnets; ++r, width = out) {
      add_resnet(sizes.residual ? block["resnets"][r] : blocks[layer++], width, out);
      const bool attention = std::count(attention_scales.begin(), attention_scales.end(), scale) > 0;
      if (attention && !sizes.residual) add_attention_block(blocks[layer++], out);
    }
    if (last) break;
    add_resample(sizes.residual ? block["downsampler"] : blocks[layer++], out, out,
                 sizes.temporal[i] ? out : 0);
    scale /= 2;
  }
  add_mid_block(to["mid_block"], width);
  to.tensor("norm_out.gamma", {width, 1, 1, 1});
  to.affine("conv_out", {2 * sizes.z, width, 3, 3, 3});
}

void add_decoder(const Shapes& to, const Config& config, const VaeSizes& sizes) {
  const size_t count = sizes.multipliers.size();
  int64_t width = sizes.decoder_base * sizes.multipliers.back();
  to.affine("conv_in", {width, sizes.z, 3, 3, 3});
  add_mid_block(to["mid_block"], width);
  for (size_t i = 0; i < count; ++i) {
    const int64_t out = sizes.decoder_base * sizes.multipliers[count - 1 - i];
    const Shapes block = to["up_blocks"][static_cast<int64_t>(i)];
    for (int64_t r = 0; r <= sizes.resnets; ++r, width = out) add_resnet(block["resnets"][r], width, out);
    if (i + 1 == count) break;
    // What an upsampling layer gives: the residual one keeps its channels, the other halves them.
    const int64_t up = sizes.residual ? out : out / 2;
    const bool temporal = sizes.temporal[sizes.temporal.size() - 1 - i];
    add_resample(sizes.residual ? block["upsampler"] : block["upsamplers"][0], out, up,
                 temporal ? 2 * out : 0);
    width = up;
  }
  to.tensor("norm_out.gamma", {width, 1, 1, 1});
  to.affine("conv_out", {config.integer("out_channels", 3), width, 3, 3, 3});
}

void add_vae(const Shapes& to, const Config& config) {
  const VaeSizes sizes(config);
  add_encoder(to["encoder"], config, sizes);
  add_decoder(to["decoder"], config, sizes);
  to.affine("quant_conv", {2 * sizes.z, 2 * sizes.z, 1, 1, 1});
  to.affine("post_quant_conv", {sizes.z, sizes.z, 1, 1, 1});
}

// --- UMT5EncoderModel

void add_text_encoder(const Shapes& to, const Config& config) {
  const int64_t width = config.integer("d_model", 512), heads = config.integer("num_heads", 6);
  const int64_t inner = heads * config.integer("d_kv", 64), ffn = config.integer("d_ff", 1024);
  to.tensor("shared.weight", {config.integer("vocab_size", 250112), width});
  const int64_t layers = config.integer("num_layers", 8, 1, kMostLayers);
  for (int64_t i = 0; i < layers; ++i) {
    const Shapes block = to["encoder.block"][i]["layer"];
    const Shapes attention = block["0.SelfAttention"], feed_forward = block["1"];
    for (const char* name : {"q.weight", "k.weight", "v.weight"}) attention.tensor(name, {inner, width});
    attention.tensor("o.weight", {width, inner});
    attention.tensor("relative_attention_bias.weight",
                     {config.integer("relative_attention_num_buckets", 32), heads});
    block.tensor("0.layer_norm.weight", {width});
    for (const char* name : {"wi_0.weight", "wi_1.weight"})
      feed_forward["DenseReluDense"].tensor(name, {ffn, width});
    feed_forward.tensor("DenseReluDense.wo.weight", {width, ffn});
    feed_forward.tensor("layer_norm.weight", {width});
  }
  to.tensor("encoder.final_layer_norm.weight", {width});
}

// --- CLIPVisionModel

void add_image_encoder(const Shapes& to, const Config& config) {
  const int64_t width = config.integer("hidden_size", 768), ffn = config.integer("intermediate_size", 3072);
  const int64_t patch = config.integer("patch_size", 32), side = config.integer("image_size", 224) / patch;
  const Shapes embeddings = to["embeddings"];
  embeddings.tensor("class_embedding", {width});
  embeddings.tensor("patch_embedding.weight", {width, config.integer("num_channels", 3), patch, patch});
  embeddings.tensor("position_embedding.weight", {side * side + 1, width});
  to.norm("pre_layrnorm", width);
  const int64_t layers = config.integer("num_hidden_layers", 12, 1, kMostLayers);
  for (int64_t i = 0; i < layers; ++i) {
    const Shapes layer = to["encoder.layers"][i];
    for (const char* name : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
      layer["self_attn"].affine(name, {width, width});
    }
    layer.norm("layer_norm1", width);
    layer.norm("layer_norm2", width);
    layer.affine("mlp.fc1", {ffn, width});
    layer.affine("mlp.fc2", {width, ffn});
  }
  to.norm("post_layernorm", width);
}

}  // namespace

TensorShapes expected_tensors(std::string_view component, const Config& config) {
  TensorShapes tensors;
  const Shapes to(tensors);
  if (component == "transformer" || component == "transformer_2") add_transformer(to, config);
  if (component == "vae") add_vae(to, config);
  if (component == "text_encoder") add_text_encoder(to, config);
  if (component == "image_encoder") add_image_encoder(to, config);
  return tensors;
}

bool is_ignored_tensor(std::string_view component, std::string_view name) {
  if (component == "text_encoder") return name == "encoder.embed_tokens.weight";
  if (component == "image_encoder") {
    return name == "visual_projection.weight" || name.ends_with("position_ids") || name.starts_with("text_");
  }
  return name.ends_with(".norm_added_q.weight");
}

bool is_unused_tensor(std::string_view component, std::string_view name, const Config& config) {
  // The image embedding is what goes into the last layer.
  if (component != "image_encoder") return false;
  const std::string last = std::to_string(config.integer("num_hidden_layers", 12, 1, kMostLayers) - 1);
  return name.starts_with("post_layernorm.") || name.starts_with("encoder.layers." + last + ".");
}

}  // namespace t2v
