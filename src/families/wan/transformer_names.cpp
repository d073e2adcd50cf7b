#include "families/wan/tensor_names.h"

// The original names are those of https://github.com/Wan-Video/Wan2.1 (wan/modules/model.py, vace_model.py).

namespace t2v {

RenameTable original_transformer_names() {
  const RenameTable attention = {
      {"q.*", "to_q.*"},           {"k.*", "to_k.*"},           {"v.*", "to_v.*"},
      {"o.*", "to_out.0.*"},       {"norm_q.*", "norm_q.*"},    {"norm_k.*", "norm_k.*"},
      {"k_img.*", "add_k_proj.*"}, {"v_img.*", "add_v_proj.*"}, {"norm_k_img.*", "norm_added_k.*"},
  };
  const RenameTable block = {
      {"self_attn.*", "attn1.*", attention},
      {"cross_attn.*", "attn2.*", attention},
      {"norm3.*", "norm2.*"},
      {"ffn.0.*", "ffn.net.0.proj.*"},
      {"ffn.2.*", "ffn.net.2.*"},
      {"modulation", "scale_shift_table"},
      {"before_proj.*", "proj_in.*"},
      {"after_proj.*", "proj_out.*"},
  };
  const RenameTable image_embedder = {
      {"proj.0.*", "norm1.*"}, {"proj.1.*", "ff.net.0.proj.*"}, {"proj.3.*", "ff.net.2.*"},
      {"proj.4.*", "norm2.*"}, {"emb_pos", "pos_embed"},
  };
  return {
      {"blocks.#.*", "blocks.#.*", block},
      {"vace_blocks.#.*", "vace_blocks.#.*", block},
      {"patch_embedding.*", "patch_embedding.*"},
      {"vace_patch_embedding.*", "vace_patch_embedding.*"},
      {"time_embedding.0.*", "condition_embedder.time_embedder.linear_1.*"},
      {"time_embedding.2.*", "condition_embedder.time_embedder.linear_2.*"},
      {"time_projection.1.*", "condition_embedder.time_proj.*"},
      {"text_embedding.0.*", "condition_embedder.text_embedder.linear_1.*"},
      {"text_embedding.2.*", "condition_embedder.text_embedder.linear_2.*"},
      {"img_emb.*", "condition_embedder.image_embedder.*", image_embedder},
      {"head.modulation", "scale_shift_table"},
      {"head.head.*", "proj_out.*"},
  };
}

}  // namespace t2v
