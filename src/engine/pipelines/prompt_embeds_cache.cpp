#include "engine/pipelines/prompt_embeds_cache.h"

#include <system_error>

#include "core/file.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/setting.h"
#include "t2v/error.h"
#include "tensors/weights/read_tensor.h"
#include "tensors/weights/safetensors_writer.h"

namespace t2v {

namespace fs = std::filesystem;

PromptEmbedsCache::PromptEmbedsCache(fs::path folder, const Component& text_encoder, Placement placement)
    : folder_(std::move(folder)), encoder_(dtype_name(placement.dtype) + "," + placement.device.str()) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) {
    throw Error(ErrorCode::kOutput, {.doing = setting("embeds_cache", folder_.string()),
                                     .got = error.message(),
                                     .expected = "a folder that can be written"});
  }
  for (const auto& file : text_encoder.files) encoder_.append(";").append(file_identity(file->path()));
}

std::string PromptEmbedsCache::key(const std::vector<int64_t>& ids) const {
  std::string key = encoder_;
  for (const int64_t id : ids) key.append(" ").append(std::to_string(id));
  return key;
}

fs::path PromptEmbedsCache::file(const std::string& key) const {
  // Two keys may have the same file name, so each file holds its whole key.
  return folder_ / (fnv1a_name(key) + ".safetensors");
}

std::optional<Tensor> PromptEmbedsCache::find(const std::vector<int64_t>& ids) const {
  const std::string wanted = key(ids);
  const fs::path path = file(wanted);
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  try {
    const auto stored = TensorFile::open(path);
    const auto found = stored->metadata().find("key");
    const auto rows = stored->tensors().find("prompt_embeds");
    if (found == stored->metadata().end() || found->second != wanted) return std::nullopt;
    if (rows == stored->tensors().end() || !is_floating(rows->second.format)) return std::nullopt;
    const std::vector<int64_t>& shape = rows->second.shape;
    if (shape.size() != 3 || shape[0] != 1 || shape[1] != static_cast<int64_t>(ids.size()))
      return std::nullopt;
    return read_tensor({.file = stored, .stored = rows->second}).clone();
  } catch (const Error& error) {
    log_warning(std::string(error.what()) + "; the prompt is encoded again");
    return std::nullopt;
  }
}

void PromptEmbedsCache::store(const std::vector<int64_t>& ids, const Tensor& rows) const {
  const std::string own = key(ids);
  try {
    write_safetensors(file(own), {{"prompt_embeds", rows.cpu()}}, {{"key", own}});
  } catch (const Error& error) {
    log_warning(std::string(error.what()) + "; the embeddings are not kept");
  }
}

}  // namespace t2v
