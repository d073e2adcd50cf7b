#include "families/wan/experts.h"
#include "families/wan/wan_parts.h"
#include "t2v/error.h"

namespace t2v {
namespace {

/// Size of one dimension of the first of these tensors that is there; 0 if none has it.
int64_t first_size(const PartInfo& part, std::initializer_list<const char*> tensors, size_t dimension) {
  for (const char* tensor : tensors) {
    const auto found = part.tensors.find(tensor);
    if (found != part.tensors.end() && dimension < found->second.size()) return found->second[dimension];
  }
  return 0;
}

/// T5 tells positions apart in its first block alone, UMT5 in every block.
bool is_t5(const PartInfo& text_encoder) {
  const auto has_positions = [&](int64_t block) {
    return text_encoder.has("encoder.block." + std::to_string(block) +
                            ".layer.0.SelfAttention.relative_attention_bias.weight");
  };
  const int64_t blocks = text_encoder.count_blocks("encoder.block.");
  for (int64_t block = 1; block < blocks; ++block) {
    if (has_positions(block)) return false;
  }
  return blocks > 1;
}

int64_t latent_channels(const Config& transformer) {
  return transformer.integer("out_channels", transformer.integer("in_channels", 16));
}

/// "16 channels", and the models whose VAE has as many.
std::string channels_text(int64_t channels) {
  const std::string count = std::to_string(channels) + " channels";
  if (channels == 16) return count + " (as Wan2.1 and Wan2.2 A14B have)";
  if (channels == 48) return count + " (as Wan2.2 TI2V-5B has)";
  return count;
}

[[noreturn]] void mixed(const PartInfo& part, const std::string& key, const std::string& got,
                        const std::string& expected) {
  throw Error(ErrorCode::kInput, {.doing = "reading " + part.origin + ", " + key,
                                  .got = got,
                                  .expected = expected,
                                  .advice = "name parts of one model"});
}

void check_vae(const ModelInfo& model) {
  const PartInfo& transformer = model.get("transformer");
  const Config& vae = model.get("vae").config;
  const int64_t latents = vae.integer("z_dim", 16);
  const int64_t in = transformer.config.integer("in_channels", 16), out = latent_channels(transformer.config);
  if (out != latents) {
    mixed(transformer, "out_channels (in_channels is " + std::to_string(in) + ")", channels_text(out),
          "the VAE's " + channels_text(latents));
  }
  // An image adds its own latents, and a mask for each of the frames that one latent frame stands for.
  const int64_t with_image = 2 * latents + vae.integer("scale_factor_temporal", 4);
  if (in != latents && in != with_image) {
    mixed(transformer, "in_channels", std::to_string(in),
          std::to_string(latents) + ", or " + std::to_string(with_image) + " for a model that sees images");
  }
}

/// Compares the width of an encoder's output with the one that the transformer takes.
void check_width(const PartInfo& encoder, const char* key, int64_t fallback, int64_t expected,
                 const char* of_transformer) {
  const int64_t width = encoder.config.integer(key, fallback);
  if (width == expected) return;
  mixed(encoder, key, std::to_string(width),
        std::to_string(expected) + ", the " + of_transformer + " of the transformer");
}

void check_second_expert(const PartInfo& first, const PartInfo& second) {
  for (const char* key : {"num_attention_heads", "attention_head_dim", "num_layers", "ffn_dim", "in_channels",
                          "out_channels", "text_dim"}) {
    const int64_t expected = first.config.integer(key, 0), got = second.config.integer(key, 0);
    if (got != expected) {
      mixed(second, key, std::to_string(got),
            std::to_string(expected) + ", as the other expert " + first.origin + " has");
    }
  }
}

/// Refuses a transformer with networks that Wan's own transformers lack.
void check_supported(const PartInfo& transformer) {
  struct Unsupported {
    const char* prefix;  ///< of its tensors
    const char* model;
  };
  constexpr Unsupported kUnsupported[] = {
      {"motion_encoder.", "Wan2.2 Animate"},     {"face_adapter.", "Wan2.2 Animate"},
      {"control_adapter.", "Wan2.x Fun Camera"}, {"casual_audio_encoder.", "Wan2.2 S2V"},
      {"audio_injector.", "Wan2.2 S2V"},         {"ref_conv.", "Wan2.x Fun Control"}};
  for (const Unsupported& other : kUnsupported) {
    if (!transformer.has_prefix(other.prefix)) continue;
    throw Error(ErrorCode::kInput, {.doing = "reading " + transformer.origin,
                                    .got = std::string("a transformer of ") + other.model,
                                    .expected = "one of Wan2.1 or Wan2.2 T2V, I2V, FLF2V, TI2V or VACE"});
  }
}

}  // namespace

bool fits_wan(const std::string& part, const PartInfo& candidate, const PartInfo* transformer) {
  if (part == "text_encoder" && is_t5(candidate)) return false;
  if (transformer == nullptr) return true;
  const Config& config = transformer->config;
  if (part == "vae") return first_size(candidate, {"decoder.conv_in.weight"}, 1) == latent_channels(config);
  if (part == "text_encoder") {
    return first_size(candidate, {"shared.weight", "encoder.embed_tokens.weight"}, 1) ==
           config.integer("text_dim", 4096);
  }
  if (part != "image_encoder") return true;
  return config.has("image_dim") &&
         first_size(candidate, {"embeddings.class_embedding", "vision_model.embeddings.class_embedding"},
                    0) == config.integer("image_dim", 1280);
}

void check_wan_parts(const ModelInfo& model) {
  check_expert_names(model);
  for (const char* name : {"transformer", "transformer_2"}) {
    if (model.has(name)) check_supported(model.get(name));
  }
  if (!model.has("transformer")) return;
  const Config& transformer = model.get("transformer").config;
  if (model.has("vae")) check_vae(model);
  if (model.has("text_encoder")) {
    check_width(model.get("text_encoder"), "d_model", 512, transformer.integer("text_dim", 4096), "text_dim");
  }
  if (model.has("image_encoder") && transformer.has("image_dim")) {
    check_width(model.get("image_encoder"), "hidden_size", 768, transformer.integer("image_dim", 1280),
                "image_dim");
  }
  if (model.has("transformer_2")) {
    check_second_expert(model.get("transformer"), model.get("transformer_2"));
  }
}

}  // namespace t2v
