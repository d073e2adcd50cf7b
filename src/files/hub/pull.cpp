#include "files/hub/pull.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>

#include "core/log.h"
#include "files/hub/download.h"
#include "files/hub/http.h"
#include "files/hub/listing.h"
#include "files/hub/retry.h"
#include "t2v/error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLargestListing = 64 << 20;
constexpr int kListingAttempts = 3;
constexpr std::chrono::milliseconds kBetweenEvents{100};

std::string shown_size(int64_t bytes) {
  const bool large = bytes >= 1'000'000'000;
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %s", static_cast<double>(bytes) / (large ? 1e9 : 1e6),
                large ? "GB" : "MB");
  return text;
}

std::string full_name(const Repository& repository) {
  return repository.id + (repository.revision == "main" ? "" : "@" + repository.revision);
}

/// Tells how many of the bytes that were missing at the start are here.
class DownloadProgress {
 public:
  DownloadProgress(const RunControl& control, int64_t total) : control_(control), total_(total) {}

  void tell(const std::string& detail, int64_t of_this_file) {
    if (!control_.on_event) return;
    const int64_t done = std::clamp(finished_ + of_this_file, int64_t{0}, total_);
    control_.on_event({.kind = Event::Kind::kDownload, .done = done, .total = total_, .detail = detail});
  }
  /// As tell(), but not each time.
  void tell_sometimes(const std::string& detail, int64_t of_this_file, bool last) {
    const auto now = std::chrono::steady_clock::now();
    if (now - told_ < kBetweenEvents && !last) return;
    told_ = now;
    tell(detail, of_this_file);
  }
  void finish_file(int64_t bytes) { finished_ += bytes; }

 private:
  const RunControl& control_;
  int64_t total_;
  int64_t finished_ = 0;
  std::chrono::steady_clock::time_point told_{};
};

/// Bytes that are free on the filesystem of `folder`, which need not be there yet, if that is known.
std::optional<int64_t> room_in(fs::path folder) {
  std::error_code error;
  while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  const fs::space_info space = fs::space(folder, error);
  return error ? std::nullopt : std::optional(static_cast<int64_t>(space.available));
}

/// Error (kOutput) unless `bytes` fit on the filesystem of `folder`.
void check_room(const fs::path& folder, int64_t bytes) {
  const std::optional<int64_t> room = room_in(folder);
  if (!room || bytes <= *room) return;  // writing will tell
  throw Error(ErrorCode::kOutput, {.doing = "downloading into " + folder.string(),
                                   .got = shown_size(*room) + " free",
                                   .expected = shown_size(bytes),
                                   .advice = "free some room, or set HF_HOME to a folder on a larger disk"});
}

/// One pull of a model.
class Pull {
 public:
  Pull(const HubEnvironment& environment, const KnownModel& model, const FileChoice& choice,
       const RunControl& control)
      : environment_(environment),
        model_(model),
        choice_(choice),
        control_(control),
        cache_(environment.cache),
        client_({.endpoint = environment.endpoint,
                 .token = environment.token,
                 .timeout_seconds = environment.timeout_seconds,
                 .stop = control.stop}) {}

  /// Asks for the list of files alone. Error as run() before it downloads.
  DownloadPlan plan() {
    const std::optional<CachedModel> here = cached();
    const std::optional<Listing> listing = listing_unless(here);
    if (!listing) return {.commit = here->commit, .folder = here->path};
    const fs::path folder = cache_.folder(model_.repository.id);
    DownloadPlan plan{.commit = listing->commit, .folder = folder, .disk_free = room_in(folder).value_or(0)};
    const std::vector<RemoteFile> files = chosen(*listing);
    for (const RemoteFile& file : files)
      plan.files.push_back({file.path, file.size, is_missing(file) ? kept(file) : file.size});
    plan.to_come = bytes_to_come(missing(files));
    check_room(folder, plan.to_come);
    return plan;
  }

  CachedModel run() {
    const std::optional<CachedModel> here = cached();
    const std::optional<Listing> listing = listing_unless(here);
    if (!listing) return *here;
    const std::vector<RemoteFile> files = chosen(*listing);
    const int64_t downloaded = download_missing(*listing, files);
    for (const RemoteFile& file : files) {
      cache_.link(model_.repository.id, listing->commit, file.path, file.hash);
    }
    cache_.set_reference(model_.repository, listing->commit);
    const std::optional<fs::path> path = find_in_cache(cache_, model_);
    return {.path = path ? *path : cache_.snapshot(model_.repository.id, listing->commit),
            .commit = listing->commit,
            .downloaded = downloaded};
  }

 private:
  /// The model in the cache, if it is whole.
  std::optional<CachedModel> cached() const {
    const std::optional<fs::path> path = find_in_cache(cache_, model_);
    const std::optional<fs::path> snapshot = cache_.find(model_.repository);
    if (!path || !missing_files(*snapshot).empty()) return std::nullopt;
    return CachedModel{.path = *path, .commit = snapshot->filename().string()};
  }

  /// The list of the model's files; nothing if the model in the cache, `here`, is to be used.
  std::optional<Listing> listing_unless(const std::optional<CachedModel>& here) {
    if (choice_.offline || environment_.offline) {
      if (here) return std::nullopt;
      throw Error(ErrorCode::kNetwork,
                  {.doing = "t2v pull " + model_.name,
                   .got = "a model that is not, or not wholly, in " + environment_.cache.string(),
                   .expected = "it there, since nothing may be downloaded",
                   .advice = "leave out `offline` and HF_HUB_OFFLINE"});
    }
    try {
      return fetch_listing();
    } catch (const Error& error) {
      if (!here || error.code() != ErrorCode::kNetwork) throw;
      log_warning(std::string(error.what()) + "; what is in the cache is used");
      return std::nullopt;
    }
  }

  Listing fetch_listing() {
    // A user sees at once that something happens; the answer may take its time.
    DownloadProgress(control_, 0).tell(full_name(model_.repository) + ": asking for its files", 0);
    const std::string url = environment_.endpoint + "/api/models/" + model_.repository.id + "/revision/" +
                            percent_encode(model_.repository.revision) + "?blobs=true";
    std::string text;
    retry(
        {.attempts = kListingAttempts, .stop = control_.stop}, "asking for " + full_name(model_.repository),
        [] { return 0; }, [&] { text = client_.get_text(url, kLargestListing); });
    return parse_listing(text, full_name(model_.repository));
  }

  std::vector<RemoteFile> chosen(const Listing& listing) const {
    return choose_files(listing, choice_.include.empty() ? model_.files : choice_.include, choice_.variant,
                        model_.name);
  }

  bool is_missing(const RemoteFile& file) const {
    std::error_code error;
    const auto size = fs::file_size(cache_.blob(model_.repository.id, file.hash), error);
    return error || size != static_cast<uintmax_t>(file.size);
  }

  /// The files to download, each blob once.
  std::vector<RemoteFile> missing(const std::vector<RemoteFile>& files) const {
    std::vector<RemoteFile> result;
    for (const RemoteFile& file : files) {
      const bool listed = std::any_of(result.begin(), result.end(),
                                      [&](const RemoteFile& other) { return other.hash == file.hash; });
      if (!listed && is_missing(file)) result.push_back(file);
    }
    return result;
  }

  /// Bytes of it that an interrupted download left.
  int64_t kept(const RemoteFile& file) const {
    std::error_code error;
    const auto partial = fs::file_size(cache_.blob(model_.repository.id, file.hash + ".incomplete"), error);
    return error ? 0 : std::min(file.size, static_cast<int64_t>(partial));
  }

  /// Of files that are missing.
  int64_t bytes_to_come(const std::vector<RemoteFile>& files) const {
    return std::accumulate(
        files.begin(), files.end(), int64_t{0},
        [this](int64_t sum, const RemoteFile& file) { return sum + file.size - kept(file); });
  }

  int64_t download_missing(const Listing& listing, const std::vector<RemoteFile>& all) {
    const std::vector<RemoteFile> files = missing(all);
    if (files.empty()) return 0;
    const int64_t to_come = bytes_to_come(files);
    make_folders(cache_.folder(model_.repository.id));
    check_room(cache_.folder(model_.repository.id), to_come);
    DownloadProgress progress(control_, to_come);
    progress.tell(full_name(model_.repository) + ": " + std::to_string(files.size()) + " of " +
                      std::to_string(all.size()) + " files, " + shown_size(to_come) + " into " +
                      cache_.root().string(),
                  0);
    for (const RemoteFile& file : files) {
      const int64_t before = kept(file);
      download(client_, as_download(listing, file), {.stop = control_.stop}, [&](int64_t here) {
        progress.tell_sometimes(file.path, here - before, /*last=*/here == file.size);
      });
      progress.finish_file(file.size - before);
    }
    return to_come;
  }

  Download as_download(const Listing& listing, const RemoteFile& file) const {
    std::string url = environment_.endpoint + "/" + model_.repository.id + "/resolve/" + listing.commit;
    for (size_t begin = 0; begin <= file.path.size();) {
      const size_t end = std::min(file.path.find('/', begin), file.path.size());
      url.append("/").append(percent_encode(file.path.substr(begin, end - begin)));
      begin = end + 1;
    }
    return {.url = url,
            .blob = cache_.blob(model_.repository.id, file.hash),
            .lock_file = cache_.lock_file(model_.repository.id, file.hash),
            .size = file.size,
            .hash = file.hash};
  }

  const HubEnvironment& environment_;
  const KnownModel& model_;
  const FileChoice& choice_;
  const RunControl& control_;
  HubCache cache_;
  HttpClient client_;
};

}  // namespace

std::optional<fs::path> find_in_cache(const HubCache& cache, const KnownModel& model) {
  const std::optional<fs::path> snapshot = cache.find(model.repository);
  if (!snapshot || model.files.empty()) return snapshot;
  std::error_code ignored;
  for (const std::string& file : model.files) {
    if (!fs::exists(*snapshot / file, ignored)) return std::nullopt;
  }
  const fs::path first = *snapshot / model.files[0];
  return model.files.size() == 1 ? first : first.parent_path();
}

DownloadPlan plan_pull(const HubEnvironment& environment, const KnownModel& model, const FileChoice& choice,
                       const RunControl& control) {
  return Pull(environment, model, choice, control).plan();
}

CachedModel pull(const HubEnvironment& environment, const KnownModel& model, const FileChoice& choice,
                 const RunControl& control) {
  return Pull(environment, model, choice, control).run();
}

}  // namespace t2v
