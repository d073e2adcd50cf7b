#include "families/wan/wan_parts.h"

#include "families/wan/tensor_names.h"

namespace t2v {
namespace {

PartKind transformer() {
  return {
      .name = "transformer",
      .library = "diffusers",
      .classes = {"WanTransformer3DModel", "WanVACETransformer3DModel"},
      .weights = "diffusion_pytorch_model",
      .where = "the diffusion_pytorch_model files of a Wan-AI repository",
      .role = "high-noise expert",
      .config_words = {"Wan"},
      .key_maps = {{"diffusers", "condition_embedder.time_proj.weight"},
                   {"original", "head.modulation", original_transformer_names()}},
      .fused = {{".to_qkv.", {".to_q.", ".to_k.", ".to_v."}},
                {".to_kv.", {".to_k.", ".to_v."}},
                {".to_added_kv.", {".add_k_proj.", ".add_v_proj."}}},
      // diffusers leaves them out and attends to everything, as they were trained to approximate.
      .ignored = {{".to_gate_compress.",
                   "FastVideo's sparse attention (to_gate_compress); attention is full, as in diffusers"}},
      .lora = {{"scale_shift_table", "pos_embed"}, "modulation"}};
}

PartKind transformer_2() {
  PartKind part = transformer();
  part.name = "transformer_2";
  part.required = false;
  part.where = "low_noise_model of the same Wan-AI repository";
  part.twin = "transformer";
  part.role = "low-noise expert";
  part.config_words.clear();
  part.key_maps.clear();
  return part;
}

PartKind vae() {
  return {.name = "vae",
          .library = "diffusers",
          .classes = {"AutoencoderKLWan"},
          .weights = "diffusion_pytorch_model",
          .where = "Wan2.1_VAE.pth of Wan-AI/Wan2.1-T2V-1.3B (of Wan-AI/Wan2.2-TI2V-5B: Wan2.2_VAE.pth)",
          .config_words = {"Autoencoder"},
          .key_maps = {
              {"diffusers", "decoder.mid_block.resnets.0.norm1.gamma"},
              {"original", "decoder.middle.0.residual.0.gamma", original_vae_names(), original_vae_levels}}};
}

PartKind text_encoder() {
  return {.name = "text_encoder",
          .library = "transformers",
          .classes = {"UMT5EncoderModel"},
          .model_type = "umt5",
          .weights = "model",
          .where = "models_t5_umt5-xxl-enc-bf16.pth of Wan-AI/Wan2.1-T2V-1.3B",
          .tokenizer = "tokenizer",
          .config_words = {"t5"},
          .key_maps = {{"transformers", "encoder.block.0.layer.0.SelfAttention.q.weight",
                        transformers_text_encoder_names()},
                       {"original", "blocks.0.pos_embedding.embedding.weight", original_text_encoder_names()},
                       {"llama.cpp", "enc.blk.0.attn_q.weight", llama_text_encoder_names()}}};
}

PartKind tokenizer() {
  return {.name = "tokenizer",
          .library = "transformers",
          .classes = {"T5TokenizerFast"},
          .where = "the folder google/umt5-xxl of Wan-AI/Wan2.1-T2V-1.3B"};
}

PartKind image_encoder() {
  return {.name = "image_encoder",
          .library = "transformers",
          .classes = {"CLIPVisionModel", "CLIPVisionModelWithProjection"},
          .model_type = "clip_vision_model",
          .weights = "model",
          .required = false,
          .where = "models_clip_open-clip-xlm-roberta-large-vit-huge-14.pth of Wan-AI/Wan2.1-I2V-14B-480P",
          .config_words = {"clip"},
          .key_maps = {{"transformers", "embeddings.class_embedding"},
                       {"original", "cls_embedding", original_image_encoder_names()},
                       {"open_clip", "ln_pre.weight", open_clip_names()}},
          .fused = {{".qkv.", {".q_proj.", ".k_proj.", ".v_proj."}}}};
}

}  // namespace

const std::vector<PartKind>& wan_parts() {
  static const std::vector<PartKind> parts = {transformer(),  transformer_2(), vae(),
                                              text_encoder(), tokenizer(),     image_encoder()};
  return parts;
}

Preprocessor wan_image_processor() {
  return {.name = "image_processor",
          .part = "image_encoder",
          .library = "transformers",
          .class_name = "CLIPImageProcessor",
          .config = R"({
            "image_processor_type": "CLIPImageProcessor",
            "do_resize": true,
            "size": {"shortest_edge": 224},
            "resample": 3,
            "do_center_crop": true,
            "crop_size": {"height": 224, "width": 224},
            "do_rescale": true,
            "rescale_factor": 0.00392156862745098,
            "do_normalize": true,
            "image_mean": [0.48145466, 0.4578275, 0.40821073],
            "image_std": [0.26862954, 0.26130258, 0.27577711],
            "do_convert_rgb": true
          })"};
}

}  // namespace t2v
