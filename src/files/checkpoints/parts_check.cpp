#include "files/checkpoints/parts_check.h"

#include "t2v/error.h"

namespace t2v {
namespace {

/// The VAE that a number of latent channels belongs to.
std::string vae_name(int64_t channels) {
  const std::string count = std::to_string(channels) + " channels";
  if (channels == 16) return count + " (as Wan2.1 and Wan2.2 A14B have)";
  if (channels == 48) return count + " (as Wan2.2 TI2V-5B has)";
  return count;
}

[[noreturn]] void mixed(const Component& part, const std::string& key, const std::string& got,
                        const std::string& expected) {
  throw Error(ErrorCode::kInput, {.doing = "reading " + part.origin + ", " + key,
                                  .got = got,
                                  .expected = expected,
                                  .advice = "name parts of one model"});
}

void check_vae(const Checkpoint& checkpoint) {
  const Component& vae = checkpoint.get("vae");
  const Component& transformer = checkpoint.get("transformer");
  const int64_t latents = vae.config.integer("z_dim", 16);
  const int64_t in = transformer.config.integer("in_channels", 16);
  const int64_t out = transformer.config.integer("out_channels", in);
  if (out != latents) {
    mixed(transformer, "out_channels (in_channels is " + std::to_string(in) + ")", vae_name(out),
          "the VAE's " + vae_name(latents));
  }
  // An image adds its own latents, and a mask for each of the frames that one latent frame stands for.
  const int64_t with_image = 2 * latents + vae.config.integer("scale_factor_temporal", 4);
  if (in != latents && in != with_image) {
    mixed(transformer, "in_channels", std::to_string(in),
          std::to_string(latents) + ", or " + std::to_string(with_image) + " for a model that sees images");
  }
}

void check_text_encoder(const Checkpoint& checkpoint) {
  const Component& text_encoder = checkpoint.get("text_encoder");
  const int64_t wanted = checkpoint.get("transformer").config.integer("text_dim", 4096);
  const int64_t width = text_encoder.config.integer("d_model", 512);
  if (width != wanted) {
    mixed(text_encoder, "d_model", std::to_string(width),
          std::to_string(wanted) + ", the text_dim of the transformer");
  }
}

void check_image_encoder(const Checkpoint& checkpoint) {
  const Config& transformer = checkpoint.get("transformer").config;
  const Component& image_encoder = checkpoint.get("image_encoder");
  if (!transformer.has("image_dim")) return;
  const int64_t wanted = transformer.integer("image_dim", 1280);
  const int64_t width = image_encoder.config.integer("hidden_size", 768);
  if (width != wanted) {
    mixed(image_encoder, "hidden_size", std::to_string(width),
          std::to_string(wanted) + ", the image_dim of the transformer");
  }
}

void check_experts(const Checkpoint& checkpoint) {
  const Component& first = checkpoint.get("transformer");
  const Component& second = checkpoint.get("transformer_2");
  for (const char* key : {"num_attention_heads", "attention_head_dim", "num_layers", "ffn_dim", "in_channels",
                          "out_channels", "text_dim"}) {
    const int64_t wanted = first.config.integer(key, 0), got = second.config.integer(key, 0);
    if (got != wanted) {
      mixed(second, key, std::to_string(got),
            std::to_string(wanted) + ", as the other expert " + first.origin + " has");
    }
  }
}

/// Transformers that add networks of their own to Wan's, told by the names of their tensors.
void check_variant(const Component& transformer) {
  struct Unsupported {
    const char* start;
    const char* name;
  };
  constexpr Unsupported kUnsupported[] = {
      {"motion_encoder.", "Wan2.2 Animate"},     {"face_adapter.", "Wan2.2 Animate"},
      {"control_adapter.", "Wan2.x Fun Camera"}, {"casual_audio_encoder.", "Wan2.2 S2V"},
      {"audio_injector.", "Wan2.2 S2V"},         {"ref_conv.", "Wan2.x Fun Control"}};
  for (const Unsupported& other : kUnsupported) {
    const auto found = transformer.tensors.lower_bound(other.start);
    if (found == transformer.tensors.end() || !found->first.starts_with(other.start)) continue;
    throw Error(ErrorCode::kInput, {.doing = "reading " + transformer.origin,
                                    .got = std::string("a transformer of ") + other.name,
                                    .expected = "one of Wan2.1 or Wan2.2 T2V, I2V, FLF2V, TI2V or VACE"});
  }
}

}  // namespace

void check_parts(const Checkpoint& checkpoint) {
  for (const char* name : {"transformer", "transformer_2"}) {
    if (checkpoint.has(name)) check_variant(checkpoint.get(name));
  }
  if (!checkpoint.has("transformer")) return;
  if (checkpoint.has("vae")) check_vae(checkpoint);
  if (checkpoint.has("text_encoder")) check_text_encoder(checkpoint);
  if (checkpoint.has("image_encoder")) check_image_encoder(checkpoint);
  if (checkpoint.has("transformer_2")) check_experts(checkpoint);
}

}  // namespace t2v
